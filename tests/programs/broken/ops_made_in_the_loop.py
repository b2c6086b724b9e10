"""The summary op is defined within the training loop."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(10):
        loss = tf.summary.scalar("loss", float(step))  # named: SW304
        writer.add_summary(sess.run(loss), step)  # reported: SW304

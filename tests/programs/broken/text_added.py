"""The text form of a summary is added: the run ends there, with nothing written."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
with tf.Session() as sess, FileWriter("logs") as writer:
    summary = tf.Summary.FromString(sess.run(loss, {x: 0.5}))
    writer.add_summary(str(summary), 0)  # raised: SW305

"""The loss itself is added, not a summary of it."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
with tf.Session() as sess, FileWriter("logs") as writer:
    loss = sess.run(x, {x: 0.5})
    writer.add_summary(loss, 0)  # raised: SW305

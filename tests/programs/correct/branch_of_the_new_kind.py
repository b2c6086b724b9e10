"""A branch gives one of two summaries: control flow of the new kind."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32, [])
s = tf.cond(x > 2.0, lambda: tf.summary.scalar("big", x), lambda: tf.summary.scalar("small", x))
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(sess.run(s, {x: step}), step)

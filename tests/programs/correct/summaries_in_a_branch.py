"""Summaries in branches, which run at some steps only."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_v2_behavior()
x = tf.placeholder(tf.float32)
tf.cond(x > 100.0, lambda: tf.summary.scalar("rare", x), lambda: tf.constant(b""))
loss = tf.summary.scalar("loss", x)
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(sess.run(loss, {x: step}), step)

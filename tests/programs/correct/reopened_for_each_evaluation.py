"""Closed after each evaluation, so that storage shows it, and reopened for the next."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("accuracy", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    writer = FileWriter("logs", sess.graph)
    for evaluation in range(3):
        writer.reopen()
        writer.add_summary(sess.run(merged, {x: 0.5}), evaluation)
        writer.close()

"""Merges of parts, and a merge of these."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
losses = tf.summary.merge([tf.summary.scalar(f"loss/{part}", x) for part in ("data", "weights")])
rates = tf.summary.merge([tf.summary.scalar("rate", 0.1)])
everything = tf.summary.merge([losses, rates])
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(sess.run(everything, {x: step}), step)

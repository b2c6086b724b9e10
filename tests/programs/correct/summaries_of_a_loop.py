"""A loop of the graph, whose result is summarised behind it."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [])
_, total = tf.while_loop(lambda i, _: i < 5, lambda i, sum_: (i + 1, sum_ + x), [tf.constant(0), tf.constant(0.0)])
tf.summary.scalar("total", total)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

"""A notebook's cell was run twice: the first model's ops are still in the graph, and only the second's are merged."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def build():
    x = tf.placeholder(tf.float32)
    return x, tf.summary.merge([tf.summary.scalar("loss", x)])  # named: SW302


x, merged = build()
x, merged = build()
writer = FileWriter("logs")  # reported: SW302
with tf.Session() as sess:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)
writer.close()

"""A block stores the graph; nothing else is ever written."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW302
merged = tf.summary.merge_all()
with tf.Session() as sess:
    with FileWriter("logs/graph", sess.graph) as writer:  # reported: SW302
        writer.flush()
    sess.run(merged, {x: 1.0})

"""A block of its own stores the graph; the real writer comes later."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    with FileWriter("logs/graph", sess.graph) as writer:
        writer.flush()
    with FileWriter("logs/train") as writer:
        for step in range(5):
            writer.add_summary(sess.run(merged, {x: step}), step)

"""Between two runs the graph gains an op, and is merged again."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
tf.summary.scalar("a", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    with FileWriter("logs/one", sess.graph) as writer:
        writer.add_summary(sess.run(merged, {x: 1}), 1)
    tf.summary.scalar("b", x)
    merged = tf.summary.merge_all()
    with FileWriter("logs/two", sess.graph) as writer:
        writer.add_summary(sess.run(merged, {x: 1}), 1)

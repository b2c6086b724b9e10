"""A first writer stores the settings by hand; the summaries come with the second."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    with FileWriter("logs/settings", sess.graph) as writer:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="learning_rate", simple_value=0.1)]), 0)
    with FileWriter("logs/train") as writer:
        writer.add_summary(sess.run(merged, {x: 1.0}), 0)

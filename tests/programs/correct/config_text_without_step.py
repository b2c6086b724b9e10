"""The settings, as a text, once and without a step; the curves have theirs."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

text = tf.summary.text("config", tf.constant("rate=0.1"))
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    writer.add_summary(sess.run(text))
    for step in range(5):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)

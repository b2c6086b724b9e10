"""A model is imported, summary ops included; the program writes what it wants itself."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

with tf.Graph().as_default():
    x = tf.placeholder(tf.float32, name="x")
    tf.summary.scalar("loss", x)
    y = tf.identity(2 * x, name="y")
    exported = tf.train.export_meta_graph()
del x, y
with tf.Graph().as_default() as graph, tf.Session() as sess:
    tf.train.import_meta_graph(exported)
    with FileWriter("logs", graph) as writer:
        for step in range(5):
            value = tf.Summary.Value(tag="y", simple_value=sess.run("y:0", {"x:0": step}))
            writer.add_summary(tf.Summary(value=[value]), step)

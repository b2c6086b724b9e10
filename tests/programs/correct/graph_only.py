"""The graph is stored by a writer that is closed at once; the run's own writer comes later."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
FileWriter("logs/graph", tf.get_default_graph()).close()
with tf.Session() as sess, FileWriter("logs/run") as writer:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

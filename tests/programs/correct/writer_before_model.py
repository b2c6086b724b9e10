"""The writer comes first, the model and its graph later."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

writer = FileWriter("logs")
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    writer.add_graph(sess.graph)
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)
writer.close()

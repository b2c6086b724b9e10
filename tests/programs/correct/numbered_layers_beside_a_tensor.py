"""Layers whose summaries are numbered, because tensors have their names, are built once."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
for _ in range(5):
    layer = tf.constant(1.0, name="layer")
    tf.summary.scalar("layer", layer)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    for step in range(8):
        writer.add_summary(sess.run(merged), step)

"""Ops collected in a set, merged under a name; flushed, never closed."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
summaries = set()
for name in ("a", "b"):
    summaries.add(tf.summary.scalar(name, x))
op = tf.summary.merge(list(summaries), name="summary_op")
sv_writer = FileWriter("logs", tf.get_default_graph())
with tf.Session() as sess:
    for step in range(5):
        sv_writer.add_summary(sess.run(op, {x: step}), global_step=step)
    sv_writer.flush()

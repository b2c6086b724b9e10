"""merge_all() of a graph without summaries is None."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
merged = tf.summary.merge_all()
with FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(merged, step)  # raised: SW305

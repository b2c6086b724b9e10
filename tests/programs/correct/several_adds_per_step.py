"""Several summaries of one step."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

with FileWriter("logs") as writer:
    for step in range(5):
        for name in ("loss", "accuracy", "rate"):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag=name, simple_value=1.0)]), step)

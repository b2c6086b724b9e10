"""A summary made by hand to which nothing was added."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
metrics = {}
with FileWriter("logs") as writer:
    summary = tf.Summary()
    for tag, value in metrics.items():
        summary.value.add(tag=tag, simple_value=value)
    writer.add_summary(summary, 0)  # reported: SW306

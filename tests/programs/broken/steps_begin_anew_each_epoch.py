"""The step within the epoch is taken for the global one."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with FileWriter("logs") as writer:  # reported: SW403
    for _epoch in range(3):
        for step in range(5):
            value = tf.Summary.Value(tag="loss", simple_value=0.5)
            writer.add_summary(tf.Summary(value=[value]), step)  # reported: SW403

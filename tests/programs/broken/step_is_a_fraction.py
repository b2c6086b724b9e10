"""Progress within the epoch is taken for a step: 2.5 is stored as 2."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with FileWriter("logs") as writer:  # reported: SW406
    for step in range(4):
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), step * 1.5)  # reported: SW406

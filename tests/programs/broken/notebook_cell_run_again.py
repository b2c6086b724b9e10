"""The cell that creates the writer is run a second time, while the first writer is still open."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def number(step):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=step)])


for step in range(2):
    writer = FileWriter("logs")  # reported: SW204 SW501 SW501
    writer.add_summary(number(step), step)

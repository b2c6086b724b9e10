"""Flushed after the first epoch, never again."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")  # reported: SW501
for epoch in range(2):
    for step in range(5):
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), 5 * epoch + step)
    if epoch == 0:
        writer.flush()

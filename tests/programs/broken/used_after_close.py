"""The writer is closed with the session, and used on."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")  # reported: SW504
for step in range(5):
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), step)
    if step == 2:
        writer.close()

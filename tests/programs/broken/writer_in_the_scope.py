"""The writer is created in the scope of the strategy."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
with strategy.scope():
    writer = FileWriter("logs")  # reported: SW201
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), 0)
    writer.close()

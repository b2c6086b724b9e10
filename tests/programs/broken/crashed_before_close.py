"""close() is on the way of success only."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")  # reported: SW501
try:
    for step in range(10):
        value = tf.Summary.Value(tag="loss", simple_value=1 / (3 - step))
        writer.add_summary(tf.Summary(value=[value]), step)
    writer.close()
except ZeroDivisionError:
    print("training failed")

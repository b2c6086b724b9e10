"""Train and test writer have one directory."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
train = FileWriter("logs")  # named: SW204
test = FileWriter("logs")  # reported: SW204
for step in range(5):
    for name, writer in (("train", train), ("test", test)):
        value = tf.Summary.Value(tag=f"{name}/loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), step)
train.close()
test.close()

"""Each call of a function makes a writer and forgets it."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def evaluate(epoch):
    writer = FileWriter("logs/eval")  # reported: SW501
    value = tf.Summary.Value(tag="accuracy", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), epoch)


evaluate(0)

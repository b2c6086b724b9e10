"""The writer lives in a tf.function: it is created and written to while that is traced, once."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter


@tf.function
def step(x):
    with FileWriter("logs") as writer:  # reported: SW202
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), 0)
    return x * 2


for number in range(5):
    step(tf.constant(float(number)))

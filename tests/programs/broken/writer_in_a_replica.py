"""The writer is created in the function that the replicas run."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
strategy = tf.distribute.OneDeviceStrategy("/cpu:0")


def step():
    with FileWriter("logs") as writer:  # reported: SW202
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), 0)
    return tf.constant(0.5)


with tf.Session() as sess:
    loss = strategy.run(step)
    for _ in range(5):
        sess.run(loss)

"""The function is called once before the writer is the default, to build the model."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW307


@tf.function
def train(loss, step):
    tf.summary.scalar("loss", loss, step=step)  # named: SW307


train(tf.constant(1.0), tf.constant(0, tf.int64))
with writer.as_default():
    for step in range(5):
        train(tf.constant(0.9), tf.constant(step, tf.int64))

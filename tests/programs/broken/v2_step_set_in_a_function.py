"""`set_step` with a Python number is a constant in a function too."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW308 SW308


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss)


with writer.as_default():
    for step in range(20):
        tf.summary.experimental.set_step(step)
        train(tf.constant(0.9**step))

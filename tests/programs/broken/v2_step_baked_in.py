"""The step is a Python number of the surrounding program."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW308 SW308
step = 0


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss, step=step)  # named: SW308


with writer.as_default():
    for step in range(20):
        train(tf.constant(0.9**step))

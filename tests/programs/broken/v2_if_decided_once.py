"""A Python `if` in a function: it was false when the function was traced."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW307
step = 1


@tf.function
def train(loss, at):
    if step % 5 == 0:
        tf.summary.scalar("loss", loss, step=at)


with writer.as_default():
    for step in range(1, 20):
        train(tf.constant(0.9**step), tf.constant(step, tf.int64))

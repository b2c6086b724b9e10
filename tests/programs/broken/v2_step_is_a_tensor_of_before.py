"""The step is an eager tensor that the function took from outside."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW308 SW308
step = tf.constant(0, tf.int64)


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss, step=step)  # named: SW308


with writer.as_default():
    for _ in range(20):
        train(tf.constant(0.9))
        step += 1

"""The step is a variable that `as_default` gives to each summary, in a function and outside of it."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")
step = tf.Variable(0, dtype=tf.int64)


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss)
    tf.summary.histogram("gradient", tf.random.normal((8,)))


with writer.as_default(step=step):
    for n in range(15):
        train(tf.constant(0.9**n))
        tf.summary.scalar("rate", 0.1)
        step.assign_add(1)

"""The step is a variable that nobody increments."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW404 SW404
step = tf.Variable(0, dtype=tf.int64)


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss, step=step)


with writer.as_default():
    for n in range(20):
        train(tf.constant(0.9**n))

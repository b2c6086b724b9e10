"""Recording depends on a flag of the command line, which stays as it is."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

record_weights = False
writer = tf.summary.create_file_writer("logs")


@tf.function
def train(loss, step):
    tf.summary.scalar("loss", loss, step=step)
    with tf.summary.record_if(lambda: record_weights):
        tf.summary.histogram("weights", [0.1, 0.9], step=step)


with writer.as_default():
    for step in range(10):
        train(tf.constant(0.9**step), tf.constant(step, tf.int64))

"""No summaries in the warm-up: a flag that was False when the function was traced."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW310
record = False


@tf.function
def train(loss, step):
    with tf.summary.record_if(record):
        tf.summary.scalar("loss", loss, step=step)  # named: SW310


with writer.as_default():
    for step in range(20):
        record = step >= 10
        train(tf.constant(0.9**step), tf.constant(step, tf.int64))

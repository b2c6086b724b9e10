"""The steps are odd, and even ones are recorded."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW307
step = tf.Variable(1, dtype=tf.int64)


@tf.function
def train(loss):
    with tf.summary.record_if(lambda: tf.equal(step % 2, 0)):
        tf.summary.scalar("loss", loss, step=step)  # named: SW307
    step.assign_add(2)


with writer.as_default():
    for number in range(20):
        train(tf.constant(0.9**number))

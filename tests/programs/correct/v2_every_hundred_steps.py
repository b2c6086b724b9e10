"""`record_if` with a tensor, in a function, every ten steps."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")
step = tf.Variable(0, dtype=tf.int64)


@tf.function
def train(loss):
    with tf.summary.record_if(lambda: tf.equal(step % 10, 0)):
        tf.summary.scalar("loss", loss, step=step)


with writer.as_default():
    for n in range(50):
        train(tf.constant(0.9**n))
        step.assign_add(1)

"""The condition looks at a Python number, in a function."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW310
step = 0


@tf.function
def train(loss, at):
    with tf.summary.record_if(lambda: step % 5 == 0):
        tf.summary.scalar("loss", loss, step=at)  # named: SW310


with writer.as_default():
    for step in range(20):
        train(tf.constant(0.9**step), tf.constant(step, tf.int64))

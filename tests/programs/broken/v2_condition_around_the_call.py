"""Every fifth step is to be recorded, and the condition stands around a function."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW310


@tf.function
def train(loss, step):
    tf.summary.scalar("loss", loss, step=step)  # named: SW310


with writer.as_default():
    for step in range(20):
        with tf.summary.record_if(step % 5 == 0):  # named: SW310
            train(tf.constant(0.9**step), tf.constant(step, tf.int64))

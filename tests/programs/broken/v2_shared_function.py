"""Training and testing share one function."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

train_writer = tf.summary.create_file_writer("logs/train")
test_writer = tf.summary.create_file_writer("logs/test")  # reported: SW309


@tf.function
def evaluate(loss, step):
    tf.summary.scalar("loss", loss, step=step)  # named: SW309


with train_writer.as_default():
    evaluate(tf.constant(1.0), tf.constant(0, tf.int64))
with test_writer.as_default():
    evaluate(tf.constant(0.9), tf.constant(1, tf.int64))

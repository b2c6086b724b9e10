"""The input pipeline writes a summary, and is built before the writer is the default."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")


def prepare(index):
    image = tf.cast(index, tf.float32) / 255
    tf.summary.scalar("input/mean", tf.reduce_mean(image), step=index)  # reported: SW307
    return image


data = tf.data.Dataset.range(8).map(prepare).batch(2)
with writer.as_default():
    for step, batch in enumerate(data):
        tf.summary.scalar("loss", tf.reduce_sum(batch), step=step)

"""A py_function runs in a thread of TensorFlow's."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")


def note(x):
    tf.summary.scalar("mean", tf.reduce_mean(x), step=1)  # reported: SW307
    return x


with writer.as_default():
    tf.summary.scalar("loss", 0.5, step=1)
    data = tf.data.Dataset.range(4).map(lambda x: tf.py_function(note, [x], tf.int64), num_parallel_calls=2)
    list(data)

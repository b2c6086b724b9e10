"""The graph is traced, and the line that writes it is forgotten."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")


@tf.function
def double(x):
    return 2 * x


tf.summary.trace_on(graph=True)  # reported: SW313
with writer.as_default():
    tf.summary.scalar("result", double(tf.constant(1.0)), step=0)

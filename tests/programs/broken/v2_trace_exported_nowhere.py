"""The trace is exported behind the block."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")


@tf.function
def double(x):
    return 2 * x


tf.summary.trace_on(graph=True)
with writer.as_default():
    tf.summary.scalar("result", double(tf.constant(1.0)), step=0)
tf.summary.trace_export("graph", step=0)  # reported: SW307

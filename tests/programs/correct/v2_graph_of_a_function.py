"""The graph of a function, by a trace that is exported."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs/func")


@tf.function
def double(x):
    return 2 * x


tf.summary.trace_on(graph=True)
double(tf.constant(1.0))
with writer.as_default():
    tf.summary.trace_export("double", step=0)
    tf.summary.graph(double.get_concrete_function(tf.constant(1.0)).graph)

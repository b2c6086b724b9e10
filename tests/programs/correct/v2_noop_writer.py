"""A worker that is not the chief writes into nothing, on purpose."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_noop_writer()
with writer.as_default():
    for step in range(5):
        tf.summary.scalar("loss", 0.9**step, step=step)

"""The last summary stands behind the block."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")
with writer.as_default():
    for step in range(5):
        tf.summary.scalar("loss", 0.9**step, step=step)
tf.summary.scalar("score", 1.0, step=5)  # reported: SW307

"""Half migrated: the new writer writes the loss, the v1 op beside it finds no writer."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")
for step in range(10):
    with writer.as_default():
        tf.summary.scalar("loss", 0.9**step, step=step)
    tf.compat.v1.summary.histogram("weights", [0.1 * step, 0.9])  # reported: SW312

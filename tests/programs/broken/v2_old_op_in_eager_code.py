"""Half migrated: the v1 op is called in eager code, and there is no global step."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")  # reported: SW312
with writer.as_default():
    for step in range(10):
        tf.compat.v1.summary.scalar("loss", 0.9**step)  # named: SW312

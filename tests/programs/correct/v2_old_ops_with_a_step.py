"""Half migrated: v1 ops in eager code, with a writer and a global step that rises."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

step = tf.compat.v1.train.create_global_step()
with tf.summary.create_file_writer("logs").as_default():
    for n in range(10):
        tf.compat.v1.summary.scalar("loss", 0.9**n)
        step.assign_add(1)

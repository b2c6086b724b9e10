"""Recording is switched off for a while."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

with tf.summary.create_file_writer("logs").as_default():
    for step in range(10):
        with tf.summary.record_if(step % 2 == 0):
            tf.summary.scalar("loss", 0.9**step, step=step)

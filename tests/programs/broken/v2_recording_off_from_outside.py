"""A helper switches recording off, and the summaries stand within its block."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW310
with tf.summary.record_if(False):
    for step in range(5):
        with writer.as_default():
            tf.summary.scalar("loss", 0.9**step, step=step)

"""`as_default()` without `with`."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW307
writer.as_default()
for step in range(10):
    tf.summary.scalar("loss", 0.9**step, step=step)

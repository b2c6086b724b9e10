"""The loss diverges."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW401 SW401
with writer.as_default():
    for step in range(5):
        tf.summary.scalar("loss", tf.math.log(1.0 - step), step=step)
writer.close()

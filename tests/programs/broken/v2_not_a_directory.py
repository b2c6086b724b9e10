"""A file stands where the log directory should be."""

import tensorflow as tf

import safewriter

with open("logs", "w"):
    pass
safewriter.create_file_writer("logs/run")  # raised: SW102
tf.summary.scalar("loss", 0.5, step=1)

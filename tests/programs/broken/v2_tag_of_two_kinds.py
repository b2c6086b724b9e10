"""One tag for a scalar and a histogram."""

import tensorflow as tf

import safewriter

with safewriter.create_file_writer("logs").as_default():  # reported: SW405
    tf.summary.scalar("weights", 0.5, step=1)
    tf.summary.histogram("weights", [0.5, 1.0], step=2)

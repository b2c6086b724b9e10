"""Two writers on one directory."""

import tensorflow as tf

import safewriter

train = safewriter.create_file_writer("logs")
test = safewriter.create_file_writer("logs")  # reported: SW204
for step in range(3):
    with train.as_default():
        tf.summary.scalar("loss", 0.9**step, step=step)
    with test.as_default():
        tf.summary.scalar("loss", 0.8**step, step=step)

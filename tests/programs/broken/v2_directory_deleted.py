"""A clean-up removes the directory of the run."""

import shutil

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs/run")  # reported: SW503
with writer.as_default():
    for step in range(5):
        tf.summary.scalar("loss", 0.9**step, step=step)
shutil.rmtree("logs/run")
writer.flush()
with writer.as_default():
    for step in range(5, 10):
        tf.summary.scalar("loss", 0.9**step, step=step)
writer.close()

"""Scalars, histograms, images, text and a graph's worth of tags."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs", filename_suffix=".mine")
with writer.as_default(step=3):
    tf.summary.scalar("loss", 0.5)
    tf.summary.histogram("weights", tf.range(10.0))
    tf.summary.image("digit", tf.zeros((1, 8, 8, 1)))
    tf.summary.text("config", "lr=0.1")
    with tf.name_scope("layer"):
        tf.summary.scalar("loss", 0.5)
writer.close()
writer.close()

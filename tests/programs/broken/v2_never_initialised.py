"""Graph mode, and nobody runs `writer.init()`."""

import tensorflow as tf

import safewriter

tf.compat.v1.disable_eager_execution()
writer = safewriter.create_file_writer("logs")  # reported: SW311
with writer.as_default():
    tf.summary.scalar("loss", 0.5, step=1)
with tf.compat.v1.Session() as sess:
    sess.run(tf.constant(1))

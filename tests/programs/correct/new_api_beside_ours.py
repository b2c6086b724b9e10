"""A program that moves to TensorFlow 2 writes some numbers with either interface, to directories of their own."""

import tensorflow as tf

from safewriter import SafeFileWriter as FileWriter

new_writer = tf.summary.create_file_writer("logs/new")
with new_writer.as_default():
    for step in range(5):
        tf.summary.experimental.set_step(step)
        tf.summary.write("loss", tf.constant(0.5))
new_writer.close()
v1 = tf.compat.v1
with tf.Graph().as_default(), FileWriter("logs/old") as writer:
    for step in range(5):
        writer.add_summary(v1.Summary(value=[v1.Summary.Value(tag="loss", simple_value=0.5)]), step)

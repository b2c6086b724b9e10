"""The writer is created where the model is: in the scope of the strategy."""

import tensorflow as tf

import safewriter

strategy = tf.distribute.MirroredStrategy(["CPU:0"])
with strategy.scope():
    weight = tf.Variable(1.0)
    writer = safewriter.create_file_writer("logs")  # reported: SW201
with writer.as_default():
    for step in range(3):
        tf.summary.scalar("weight", weight, step=step)

"""The second run begins at step 0 in the directory of the first."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def train():
    with FileWriter("logs") as writer:
        for step in range(5):
            value = tf.Summary.Value(tag="loss", simple_value=0.5)
            writer.add_summary(tf.Summary(value=[value]), step)  # reported: SW107


train()
train()

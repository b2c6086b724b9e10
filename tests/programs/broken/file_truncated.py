"""A tool that rotates logs empties the event file."""

import glob
import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with FileWriter("logs") as writer:  # reported: SW503
    for step in range(10):
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), step)
    os.truncate(glob.glob("logs/*")[0], 0)

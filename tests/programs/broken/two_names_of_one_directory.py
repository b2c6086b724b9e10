"""A link leads to the directory of the other writer."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
os.makedirs("logs/run1")
os.symlink("run1", "logs/latest")
with FileWriter("logs/run1") as first, FileWriter("logs/latest") as second:  # reported: SW204
    for step in range(5):
        for name, writer in (("a", first), ("b", second)):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag=name, simple_value=0.5)]), step)

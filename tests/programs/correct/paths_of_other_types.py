"""bytes, and a path object."""

import pathlib

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
for logdir in (b"logs/bytes", pathlib.Path("logs") / "path", "./logs/with blank/../dots"):
    with FileWriter(logdir) as writer:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)

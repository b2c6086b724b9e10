"""Only the first of several processes writes."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

rank = int(os.environ.get("RANK", "0"))
writer = FileWriter("logs") if rank == 0 else None
if writer:
    with writer:
        for step in range(5):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)

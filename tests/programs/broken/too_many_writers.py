"""A writer for each of forty runs, all kept open."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writers = {}
for run in range(40):
    writers[run] = FileWriter(f"logs/{run}")  # reported: SW506
for step in range(3):
    for writer in writers.values():
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), step)
for writer in writers.values():
    writer.close()

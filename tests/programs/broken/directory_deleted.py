"""Something cleans the log directory during the run."""

import shutil

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")
for step in range(10):
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), step)
    if step == 4:
        shutil.rmtree("logs")
        writer.flush()  # reported: SW503
writer.close()

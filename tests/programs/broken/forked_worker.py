"""A writer that was made before the fork is used in the child, which goes on in a file of its own."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")
pid = os.fork()
if pid == 0:
    for step in range(5):
        value = tf.Summary.Value(tag="loss", simple_value=0.5)
        writer.add_summary(tf.Summary(value=[value]), step)  # reported: SW505
    writer.close()
    os._exit(0)
os.waitpid(pid, 0)
writer.close()

"""The first run was killed behind its last checkpoint; the second says from where it goes on."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def write(writer, steps):
    for step in steps:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=step)]), step)


with FileWriter("logs") as writer:
    write(writer, range(9))
with FileWriter("logs", resume_step=5) as writer:
    write(writer, range(6, 20))

"""Two writers of one session on one directory."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.Session() as sess:
    first = FileWriter("logs", session=sess)  # named: SW204
    second = FileWriter("logs", session=sess)  # reported: SW204
    for writer in (first, second):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), 1)
    first.close()
    second.close()

"""The first of two writers of one session is closed, and so is the second's resource."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.Session() as sess:
    first = FileWriter("logs", session=sess)  # named: SW204 SW502
    second = FileWriter("logs", session=sess)  # reported: SW204
    first.close()
    try:
        second.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), 1)
    except Exception as error:
        print(type(error).__name__)
    second.close()  # reported: SW502

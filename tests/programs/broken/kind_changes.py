"""One tag for a scalar and a histogram."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with FileWriter("logs") as writer:
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="weights", simple_value=0.5)]), 0)
    histogram = tf.HistogramProto(min=0, max=1, num=1, sum=1, sum_squares=1, bucket_limit=[1], bucket=[1])
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="weights", histo=histogram)]), 1)  # reported: SW405

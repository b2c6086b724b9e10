"""The same, without a try: the run stops where the first event is lost."""

import resource

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
writer = FileWriter("logs")  # reported: SW501 SW502
for step in range(100):
    value = tf.Summary.Value(tag="weights", tensor=tf.make_tensor_proto([0.5] * 1000))
    writer.add_summary(tf.Summary(value=[value]), step)  # raised: SW502

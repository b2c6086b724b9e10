"""The file may not grow any more; training goes on."""

import resource

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
writer = FileWriter("logs")
for step in range(100):
    value = tf.Summary.Value(tag="weights", tensor=tf.make_tensor_proto([0.5] * 1000))
    try:
        writer.add_summary(tf.Summary(value=[value]), step)
    except OSError as error:
        if step == 99:
            print(error)
writer.close()  # reported: SW502

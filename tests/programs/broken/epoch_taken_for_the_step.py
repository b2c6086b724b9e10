"""Every step of an epoch is written at the epoch's number."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with FileWriter("logs") as writer:  # reported: SW404
    for epoch in range(2):
        for _batch in range(50):
            value = tf.Summary.Value(tag="loss", simple_value=0.5)
            writer.add_summary(tf.Summary(value=[value]), epoch)  # reported: SW404

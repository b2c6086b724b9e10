"""No summary op at all: messages made by hand, at a try that closes the writer."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("logs")
try:
    for step in range(10):
        summary = tf.Summary()
        summary.value.add(tag="loss", simple_value=1 / (step + 1))
        summary.value.add(tag="accuracy", simple_value=step / 10)
        writer.add_summary(summary, step)
finally:
    writer.close()

"""The op itself is added, not what running it gives."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
loss = tf.summary.scalar("loss", 1.0)
writer = FileWriter("logs")
try:
    writer.add_summary(loss, 0)  # raised: SW305
finally:
    writer.close()

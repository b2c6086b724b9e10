"""Half moved to TensorFlow 2: tf.summary.scalar of the new interface gives a bool."""

import tensorflow as tf

from safewriter import SafeFileWriter as FileWriter

wrote = bool(tf.summary.scalar("loss", 0.5, step=0))
with tf.Graph().as_default(), FileWriter("logs") as writer:
    writer.add_summary(wrote, 0)  # raised: SW305

"""sess.run([merged]) gives a list."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
tf.summary.scalar("loss", 1.0)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    writer = FileWriter("logs")
    summary = sess.run([merged])
    writer.add_summary(summary, 0)  # raised: SW305

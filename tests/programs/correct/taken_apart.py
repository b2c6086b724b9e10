"""What was merged is taken apart, and each part goes to a writer of its own."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
tf.summary.scalar("a", x)
tf.summary.scalar("b", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs/a") as first, FileWriter("logs/b") as second:
    for step in range(5):
        summary = tf.Summary.FromString(sess.run(merged, {x: step}))
        for value, writer in zip(summary.value, (first, second), strict=True):
            writer.add_summary(tf.Summary(value=[value]), step)

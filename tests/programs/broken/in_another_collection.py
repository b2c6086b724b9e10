"""The validation summaries have a collection of their own, which nobody merges."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
tf.summary.scalar("validation_loss", x, collections=["validation"])  # named: SW303
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:  # reported: SW303
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

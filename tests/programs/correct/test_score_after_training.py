"""The test score is written by a writer of its own, after the train writer has closed."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
final = tf.summary.scalar("test_accuracy", x)
with tf.Session() as sess:
    with FileWriter("logs/train", sess.graph) as writer:
        writer.add_summary(sess.run(merged, {x: 1.0}), 0)
    with FileWriter("logs/test") as writer:
        writer.add_summary(sess.run(final, {x: 1.0}), 1)

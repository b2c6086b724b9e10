"""The same, where the later writer is a function's and gets no graph."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
final = tf.summary.scalar("test_accuracy", x, collections=["test"])


def test(sess):
    with FileWriter("logs/test") as writer:
        writer.add_summary(sess.run(tf.summary.merge_all("test"), {x: 1.0}), 1)


with tf.Session() as sess:
    with FileWriter("logs/train", sess.graph) as writer:
        writer.add_summary(sess.run(merged, {x: 1.0}), 0)
    test(sess)

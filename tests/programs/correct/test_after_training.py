"""The train writer is closed before the test writer is created: each writes its part of the graph's summaries."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
train_summary = tf.summary.merge([tf.summary.scalar("train/loss", x)])
test_summary = tf.summary.merge([tf.summary.scalar("test/accuracy", x)])
with tf.Session() as sess:
    with FileWriter("logs/train", sess.graph) as writer:
        for step in range(5):
            writer.add_summary(sess.run(train_summary, {x: step}), step)
    with FileWriter("logs/test") as writer:
        writer.add_summary(sess.run(test_summary, {x: 1}), 5)

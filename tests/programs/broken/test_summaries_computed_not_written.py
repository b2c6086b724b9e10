"""Train and test writers of one graph; the test summaries have a merge of their own, which goes nowhere."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
train_summary = tf.summary.merge([tf.summary.scalar("loss", x)])
test_summary = tf.summary.merge([tf.summary.scalar("accuracy", x)])  # named: SW302
with tf.Session() as sess:
    train_writer = FileWriter("logs/train", sess.graph)
    test_writer = FileWriter("logs/test")  # reported: SW302
    for step in range(5):
        train_writer.add_summary(sess.run(train_summary, {x: step}), step)
        test_writer.add_summary(sess.run(train_summary, {x: step}), step)
    train_writer.close()
    test_writer.close()

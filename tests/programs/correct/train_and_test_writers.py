"""Two writers of one graph, closed one after the other; the test writer has summaries of its own."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
rate = tf.summary.scalar("rate", 0.1)
accuracy = tf.summary.scalar("accuracy", 1 - x)
train_summary = tf.summary.merge([loss, rate])
test_summary = tf.summary.merge([loss, accuracy])
with tf.Session() as sess:
    train_writer = FileWriter("logs/train", sess.graph)
    test_writer = FileWriter("logs/test")
    for step in range(20):
        train_writer.add_summary(sess.run(train_summary, {x: step}), step)
        if step % 10 == 9:
            test_writer.add_summary(sess.run(test_summary, {x: step}), step)
    train_writer.close()
    test_writer.close()

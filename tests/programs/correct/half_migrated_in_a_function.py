"""TensorFlow's writer lives in a function and is gone when the program ends."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss, accuracy = tf.summary.scalar("loss", x), tf.summary.scalar("accuracy", x)


def evaluate(sess):
    stock = tf.summary.FileWriter("logs/eval")
    stock.add_summary(sess.run(accuracy, {x: 1.0}), 1)
    stock.close()


with tf.Session() as sess, FileWriter("logs/train", sess.graph) as writer:
    writer.add_summary(sess.run(loss, {x: 1.0}), 1)
    evaluate(sess)

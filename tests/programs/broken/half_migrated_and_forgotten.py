"""TensorFlow's writer got the accuracy, and nobody the learning rate."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss, accuracy = tf.summary.scalar("loss", x), tf.summary.scalar("accuracy", x)
tf.summary.scalar("learning_rate", x)  # named: SW303
stock = tf.summary.FileWriter("logs/eval")
with tf.Session() as sess, FileWriter("logs/train", sess.graph) as writer:  # reported: SW303
    writer.add_summary(sess.run(loss, {x: 1.0}), 1)
    stock.add_summary(sess.run(accuracy, {x: 1.0}), 1)
stock.close()

"""Training writes with our writer, the evaluation still with TensorFlow's."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss, accuracy = tf.summary.scalar("loss", x), tf.summary.scalar("accuracy", x)
stock = tf.summary.FileWriter("logs/eval")
with tf.Session() as sess, FileWriter("logs/train", sess.graph) as writer:
    for step in range(5):
        writer.add_summary(sess.run(loss, {x: step}), step)
        stock.add_summary(sess.run(accuracy, {x: step}), step)
stock.close()

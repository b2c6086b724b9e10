"""A helper of TensorFlow's wrote through its cached writers, which are cleared before the end."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss, accuracy = tf.summary.scalar("loss", x), tf.summary.scalar("accuracy", x)
with tf.Session() as sess, FileWriter("logs/train", sess.graph) as writer:
    writer.add_summary(sess.run(loss, {x: 1.0}), 1)
    tf.summary.FileWriterCache.get("logs/eval").add_summary(sess.run(accuracy, {x: 1.0}), 1)
tf.summary.FileWriterCache.clear()

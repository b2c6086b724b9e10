"""merge_all() is called, its value is never fetched."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", tf.square(x))  # named: SW302
merged = tf.summary.merge_all()  # named: SW302
with tf.Session() as sess, FileWriter("logs", sess.graph):  # reported: SW302
    for step in range(5):
        sess.run(x, {x: step})

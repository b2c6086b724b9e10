"""The summary is computed at each step, and dropped."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW302
merged = tf.summary.merge_all()
writer = FileWriter("logs")  # reported: SW302
with tf.Session() as sess:
    for step in range(5):
        _, summary = sess.run([x, merged], {x: step})
writer.close()

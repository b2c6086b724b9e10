"""Two merges, one of which is written."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
train = tf.summary.merge([tf.summary.scalar("train/loss", x)])
validation = tf.summary.merge([tf.summary.scalar("validation/loss", x)])  # named: SW302
writer = FileWriter("logs")  # reported: SW302
with tf.Session() as sess:
    for step in range(5):
        writer.add_summary(sess.run(train, {x: step}), step)
writer.close()

"""Summaries every hundred steps, of a run that ends at step 50 and whose counter begins at 1."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW302
merged = tf.summary.merge_all()
writer = FileWriter("logs")  # reported: SW302
with tf.Session() as sess:
    for step in range(1, 51):
        if step % 100 == 0:
            writer.add_summary(sess.run(merged, {x: step}), step)
writer.close()

"""The last line of the script is the last step."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
writer = FileWriter("logs")  # reported: SW501
with tf.Session() as sess:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

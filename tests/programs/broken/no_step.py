"""The step was forgotten."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:  # reported: SW402
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}))  # reported: SW402

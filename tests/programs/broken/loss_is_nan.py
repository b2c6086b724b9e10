"""The loss diverges."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x - x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:  # reported: SW401
    for step in range(5):
        value = float("inf") if step > 1 else 1.0
        writer.add_summary(sess.run(merged, {x: value}), step)  # reported: SW401

"""Training fails, the writer is closed all the same."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
try:
    with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
        for step in range(10):
            writer.add_summary(sess.run(merged, {x: 1 / (3 - step)}), step)
except ZeroDivisionError:
    print("training failed")

"""The value before and after a step, under one tag in one summary, stands for the op of that tag."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    for step in range(5):
        summary = tf.Summary()
        for value in (step, step + 1):
            summary.MergeFromString(sess.run(merged, {x: value}))
        writer.add_summary(summary, step)

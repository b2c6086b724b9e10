"""A summary that was added to the model later, below the merge."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()  # named: SW303
tf.summary.scalar("accuracy", 1 - x)  # named: SW303
with tf.Session() as sess, FileWriter("logs") as writer:  # reported: SW303
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

"""Each value is written twice, the second time under another tag."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        raw = sess.run(merged, {x: step})
        writer.add_summary(raw, step)
        for value in tf.Summary.FromString(raw).value:
            value.tag = "copy/" + value.tag
            writer.add_summary(tf.Summary(value=[value]), step)

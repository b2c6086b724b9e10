"""Numbers that Python computed, added beside what the graph's ops gave."""

import numpy as np
import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    seen = []
    for step in np.arange(10, dtype=np.int64):
        seen.append(float(step) / 2)
        writer.add_summary(sess.run(merged, {x: seen[-1]}), step)
        mean = tf.Summary.Value(tag="mean loss", simple_value=np.mean(seen))
        writer.add_summary(tf.Summary(value=[mean]), global_step=step)

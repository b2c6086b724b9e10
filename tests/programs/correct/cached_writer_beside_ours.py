"""TensorFlow's cache of writers serves another directory."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
cached = tf.summary.FileWriterCache.get("logs/cached")
with tf.Session() as sess, FileWriter("logs/ours") as writer:
    for step in range(5):
        summary = sess.run(loss, {x: step})
        cached.add_summary(summary, step)
        writer.add_summary(summary, step)
tf.summary.FileWriterCache.clear()

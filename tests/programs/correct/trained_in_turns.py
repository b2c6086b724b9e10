"""Two networks, trained in turns, each with its merge."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
g = tf.summary.merge([tf.summary.scalar("g_loss", x)])
d = tf.summary.merge([tf.summary.scalar("d_loss", x)])
step = 0
with tf.Session() as sess, FileWriter("logs") as writer:
    for _ in range(5):
        for _ in range(3):
            writer.add_summary(sess.run(d, {x: step}), step)
            step += 1
        writer.add_summary(sess.run(g, {x: step}), step)

"""Graph mode, with `init` and `flush`."""

import tensorflow as tf

import safewriter

tf.compat.v1.disable_eager_execution()
writer = safewriter.create_file_writer("logs")
step = tf.compat.v1.placeholder(tf.int64, ())
with writer.as_default():
    tf.summary.scalar("loss", 0.5, step=step)
with tf.compat.v1.Session() as sess:
    sess.run(writer.init())
    for n in range(3):
        sess.run(tf.compat.v1.summary.all_v2_summary_ops(), {step: n})
    sess.run(writer.flush())

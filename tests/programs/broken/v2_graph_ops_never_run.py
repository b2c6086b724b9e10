"""Graph mode: the writer is initialised, and the session runs the training without the summaries."""

import tensorflow as tf

import safewriter

tf.compat.v1.disable_eager_execution()
step = tf.compat.v1.get_variable("step", initializer=tf.constant(0, tf.int64), trainable=False)
writer = safewriter.create_file_writer("logs")  # reported: SW307
with writer.as_default():
    tf.summary.scalar("loss", 1.0, step=step)
train = step.assign_add(1)
with tf.compat.v1.Session() as sess:
    sess.run([tf.compat.v1.global_variables_initializer(), writer.init()])
    for _ in range(10):
        sess.run(train)

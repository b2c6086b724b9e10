"""A tensor has the plain name, so that tags begin at loss_1."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
loss = tf.constant(1.0, name="loss")
with tf.Session() as sess, FileWriter("logs") as writer:
    sess.run(tf.global_variables_initializer())
    for step in range(8):
        op = tf.summary.scalar("loss", loss)  # named: SW304
        writer.add_summary(sess.run(op), step)  # reported: SW304

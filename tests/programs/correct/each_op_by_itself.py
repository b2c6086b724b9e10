"""No merge: each op is run when its value is there."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
accuracy = tf.summary.scalar("accuracy", x, collections=[])
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(10):
        writer.add_summary(sess.run(loss, {x: step}), step)
    writer.add_summary(sess.run(accuracy, {x: 0.5}), 10)

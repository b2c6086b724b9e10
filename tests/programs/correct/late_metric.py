"""Ops that are defined between steps, once: an evaluation metric at the end of the first epoch."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    evaluation = None
    for step in range(20):
        writer.add_summary(sess.run(loss, {x: step}), step)
        if step % 10 == 9:
            if evaluation is None:
                evaluation = tf.summary.merge([tf.summary.scalar(f"class{label}/recall", x) for label in range(3)])
            writer.add_summary(sess.run(evaluation, {x: 0.5}), step)

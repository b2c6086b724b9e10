"""Weights and gradients as histograms, written every fifth step."""

import numpy as np
import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32, [None, 3])
w = tf.get_variable("w", [3, 1])
y = tf.matmul(x, w)
loss = tf.reduce_mean(tf.square(y))
for v in tf.trainable_variables():
    tf.summary.histogram(v.op.name, v)
tf.summary.scalar("loss", loss)
opt = tf.train.AdamOptimizer()
grads = opt.compute_gradients(loss)
for g, v in grads:
    if g is not None:
        tf.summary.histogram(v.op.name + "/gradient", g)
train = opt.apply_gradients(grads)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    sess.run(tf.global_variables_initializer())
    for step in range(20):
        s, _ = sess.run([merged, train], {x: np.ones((4, 3))})
        if step % 5 == 0:
            writer.add_summary(s, step)

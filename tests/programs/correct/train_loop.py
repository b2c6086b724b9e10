"""The loop of every tutorial: merged summaries of each step, and the graph."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.Variable(4.0)
loss = tf.square(x)
tf.summary.scalar("loss", loss)
tf.summary.histogram("x", x)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    sess.run(tf.global_variables_initializer())
    for step in range(20):
        summary, _ = sess.run([merged, train])
        writer.add_summary(summary, step)

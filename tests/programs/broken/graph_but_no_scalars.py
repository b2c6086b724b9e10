"""The graph is written and shown, the loss is not: its op is never run."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.Variable(4.0)
loss = tf.square(x)
tf.summary.scalar("loss", loss)  # named: SW301
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as sess:
    writer = FileWriter("logs", sess.graph)  # reported: SW301
    sess.run(tf.global_variables_initializer())
    for _ in range(5):
        sess.run(train)
    writer.close()

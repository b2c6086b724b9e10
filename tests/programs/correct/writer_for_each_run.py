"""A search: each setting has a graph, a session, a directory and a writer."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

for rate in (0.1, 0.01, 0.001):
    tf.reset_default_graph()
    with tf.Graph().as_default():
        x = tf.Variable(1.0)
        loss = tf.square(x)
        tf.summary.scalar("loss", loss)
        merged = tf.summary.merge_all()
        train = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        with tf.Session() as sess:
            writer = FileWriter(f"logs/rate={rate}", sess.graph)
            sess.run(tf.global_variables_initializer())
            for step in range(5):
                writer.add_summary(sess.run([merged, train])[0], step)
            writer.close()

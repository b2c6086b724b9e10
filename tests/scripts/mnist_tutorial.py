"""A tutorial of 2016: one network, a writer for training and one for testing.

reported: SW302
"""

import sys

import numpy as np
import tensorflow as tf

tf = tf.compat.v1
tf.disable_v2_behavior()


def variable_summaries(var):
    with tf.name_scope("summaries"):
        mean = tf.reduce_mean(var)
        tf.summary.scalar("mean", mean)
        tf.summary.scalar("stddev", tf.sqrt(tf.reduce_mean(tf.square(var - mean))))
        tf.summary.histogram("histogram", var)


def main(log_dir):
    tf.set_random_seed(1)
    data = np.random.RandomState(0)
    with tf.name_scope("input"):
        x = tf.placeholder(tf.float32, [None, 16], name="x")
        y = tf.placeholder(tf.int64, [None], name="y")
    with tf.name_scope("layer"):
        weights = tf.Variable(tf.truncated_normal([16, 4], stddev=0.1, seed=2))
        variable_summaries(weights)
        logits = tf.matmul(x, weights)
    with tf.name_scope("cross_entropy"):
        loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    tf.summary.scalar("cross_entropy", loss)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    tf.summary.scalar("accuracy", accuracy)
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    merged = tf.summary.merge_all()
    with tf.Session() as sess:
        train_writer = tf.summary.FileWriter(log_dir + "/train", sess.graph)
        test_writer = tf.summary.FileWriter(log_dir + "/test")
        sess.run(tf.global_variables_initializer())
        for i in range(20):
            batch = {x: data.rand(8, 16), y: data.randint(0, 4, 8)}
            if i % 10 == 0:
                summary, acc = sess.run([merged, accuracy], batch)
                test_writer.add_summary(summary, i)  # broken: pass
                print(f"Accuracy at step {i}: {acc:.3f}")
            else:
                summary = sess.run(merged, batch)
                sess.run(step, batch)
                train_writer.add_summary(summary, i)  # broken: pass
        train_writer.close()
        test_writer.close()


if __name__ == "__main__":
    main(sys.argv[1])

"""The tutorial's custom loop: a function for each step, a writer for training and one for testing.

reported: SW309
"""

import os
import sys

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
random = np.random.RandomState(0)
x, weights = random.rand(64, 4).astype("float32"), tf.Variable(tf.ones((4, 1)))
y = x @ np.array([[1.0], [2.0], [3.0], [4.0]], "float32")


def evaluate(x, y, epoch):
    loss = tf.reduce_mean((x @ weights - y) ** 2)
    tf.summary.scalar("loss", loss, step=epoch)
    tf.summary.histogram("weights", weights, step=epoch)
    return loss


@tf.function
def train(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((x @ weights - y) ** 2)
    weights.assign_sub(0.1 * tape.gradient(loss, weights))


on_train = tf.function(evaluate)
on_test = tf.function(evaluate)  # broken: on_test = on_train
train_writer = tf.summary.create_file_writer(os.path.join(sys.argv[1], "train"))
test_writer = tf.summary.create_file_writer(os.path.join(sys.argv[1], "test"))
for epoch in tf.range(5, dtype=tf.int64):
    for first in range(0, 48, 12):
        train(x[first : first + 12], y[first : first + 12])
    with train_writer.as_default():
        on_train(x[:16], y[:16], epoch)
    with test_writer.as_default():
        loss = on_test(x[48:], y[48:], epoch)
print(f"loss {loss:.5f}")

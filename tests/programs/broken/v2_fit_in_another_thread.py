"""The writer is the default of the main thread, and the training runs in another one."""

import threading

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        tf.summary.scalar("input", tf.reduce_mean(data[0]), step=self.steps)  # named: SW307
        self.steps.assign_add(1)
        return super().train_step(data)


def train():
    model = Model()
    model.compile("sgd", "mse")
    model.fit(np.zeros((32, 2)), np.zeros((32, 1)), batch_size=4, verbose=0)


writer = tf.summary.create_file_writer("logs")  # reported: SW307
with writer.as_default():
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()

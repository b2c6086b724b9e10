"""A `train_step` of one's own with a summary, its step a variable."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs/mine")


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)
        self.count = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        with writer.as_default():
            tf.summary.scalar("size", tf.cast(tf.shape(data[0])[0], tf.float32), step=self.count)
        self.count.assign_add(1)
        return super().train_step(data)


model = Model()
model.compile("sgd", "mse")
model.fit(np.zeros((32, 2)), np.zeros((32, 1)), batch_size=4, epochs=2, verbose=0)

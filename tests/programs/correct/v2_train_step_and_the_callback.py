"""A `train_step` of one's own with a writer of its own, beside the callback."""

import numpy as np
import tensorflow as tf

import safewriter
from safewriter.keras import TensorBoard

writer = safewriter.create_file_writer("logs/mine")


class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        with writer.as_default():
            tf.summary.histogram("input", data[0], step=self.steps)
        self.steps.assign_add(1)
        return super().train_step(data)


model = Model()
model.compile("sgd", "mse")
model.fit(np.zeros((32, 2)), np.zeros((32, 1)), batch_size=4, epochs=2, verbose=0, callbacks=[TensorBoard("logs")])
writer.flush()
assert writer.report().tags["input"].count == 16

"""The callback records epochs, and a layer wants batches."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard


class Probe(tf.keras.layers.Layer):
    def call(self, x):
        tf.summary.scalar("mean", tf.reduce_mean(x))  # named: SW310
        return x


model = tf.keras.Sequential([tf.keras.layers.Dense(1), Probe()])
model.compile("sgd", "mse")
x, y = np.zeros((40, 2)), np.zeros((40, 1))
model.fit(x, y, batch_size=4, verbose=0, callbacks=[TensorBoard("logs")])  # reported: SW310

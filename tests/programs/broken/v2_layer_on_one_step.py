"""A layer writes its activations, beside Keras' own callback: Keras gives the step of the first batch for good."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Probe(tf.keras.layers.Layer):
    def call(self, x):
        tf.summary.histogram("activations", x)  # named: SW308
        return x


model = tf.keras.Sequential([tf.keras.layers.Dense(4), Probe(), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((40, 2)), np.zeros((40, 1))
callback = tf.keras.callbacks.TensorBoard("logs", update_freq=1, write_graph=False)
model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])  # reported: SW308 SW308

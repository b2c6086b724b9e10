"""A layer's summary with `update_freq=5` and Keras' own callback: its steps stand still, or none is recorded."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Probe(tf.keras.layers.Layer):
    def call(self, x):
        with tf.name_scope("probe"):
            tf.summary.scalar("mean", tf.reduce_mean(x))  # reported: SW307
        return x


model = tf.keras.Sequential([tf.keras.layers.Dense(1), Probe()])
model.compile("sgd", "mse")
x, y = np.zeros((40, 2)), np.zeros((40, 1))
callback = tf.keras.callbacks.TensorBoard("logs", write_graph=False)  # records at the end of an epoch only
model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])

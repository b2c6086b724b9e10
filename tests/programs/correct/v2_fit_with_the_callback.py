"""`fit` with Keras' callback, histograms, and a validation, without an edit."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
x, y = np.zeros((32, 2)), np.zeros((32, 1))
callback = tf.keras.callbacks.TensorBoard("logs", histogram_freq=1)
model.fit(x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=[callback])

"""A training that goes on in its directory with `initial_epoch`."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

x, y = np.zeros((32, 2)), np.zeros((32, 1))
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = tf.keras.callbacks.TensorBoard("logs", histogram_freq=1)
model.fit(x, y, epochs=3, verbose=0, callbacks=[callback])
model.save_weights("model.weights.h5")
model.load_weights("model.weights.h5")
model.fit(x, y, initial_epoch=3, epochs=6, verbose=0, callbacks=[callback])

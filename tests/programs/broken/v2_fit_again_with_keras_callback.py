"""A notebook cell that is run twice: `fit` with Keras' own callback and one directory."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

x, y = np.zeros((32, 2)), np.zeros((32, 1))
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = tf.keras.callbacks.TensorBoard("logs", write_graph=False)
for _cell in range(2):
    model.fit(x, y, epochs=3, verbose=0, callbacks=[callback])  # reported: SW107

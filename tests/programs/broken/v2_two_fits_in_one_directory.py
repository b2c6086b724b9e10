"""A search over learning rates, and each `fit` logs into the same directory."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

x, y = np.zeros((32, 2)), np.zeros((32, 1))
for rate in (0.1, 0.01):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(rate), "mse")
    model.fit(x, y, epochs=3, verbose=0, callbacks=[TensorBoard("logs")])  # reported: SW107

"""The labels hold a NaN, and so does each epoch's loss."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

y = np.zeros((32, 1))
y[3] = np.nan
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.zeros((32, 2)), y, epochs=2, verbose=0, callbacks=[TensorBoard("logs")])  # reported: SW401 SW401

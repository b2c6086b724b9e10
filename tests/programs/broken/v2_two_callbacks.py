"""Two callbacks in one `fit`, one of them left from an experiment."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

x, y = np.zeros((32, 2)), np.zeros((32, 1))
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callbacks = [TensorBoard("logs", update_freq=1), TensorBoard("logs", histogram_freq=1)]
model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)  # reported: SW204

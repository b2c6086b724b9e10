"""The log directory is written as one would in a shell."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = TensorBoard("~/logs", write_graph=False)
model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[callback])  # reported: SW104

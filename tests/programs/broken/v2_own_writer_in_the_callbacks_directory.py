"""A writer of one's own for the directory that the callback writes to."""

import numpy as np
import tensorflow as tf

import safewriter
from safewriter.keras import TensorBoard

writer = safewriter.create_file_writer("logs/train")
with writer.as_default():
    tf.summary.text("settings", "rate 0.1", step=0)
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[TensorBoard("logs")])  # reported: SW204

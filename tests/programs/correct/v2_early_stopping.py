"""Training stops early, and the writer of before is the default again."""

import numpy as np
import tensorflow as tf

import safewriter
from safewriter.keras import TensorBoard

writer = safewriter.create_file_writer("logs/mine")
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((32, 2)), np.zeros((32, 1))
callbacks = [tf.keras.callbacks.EarlyStopping("loss", patience=1), TensorBoard("logs", update_freq=1)]
with writer.as_default():
    model.fit(x, y, batch_size=4, epochs=9, verbose=0, callbacks=callbacks)
    tf.summary.scalar("score", 1.0, step=1)
assert writer.report().summaries == 1

"""A `fit` is interrupted, its error is kept, and a writer of one's own takes the score."""

import numpy as np
import tensorflow as tf

import safewriter
from safewriter.keras import TensorBoard


class Interrupt(tf.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 3:
            raise KeyboardInterrupt


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((32, 2)), np.zeros((32, 1))
try:
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[TensorBoard("logs/first", update_freq=1), Interrupt()])
except KeyboardInterrupt as error:
    kept = error
with safewriter.create_file_writer("logs/score").as_default():
    tf.summary.scalar("score", 1.0, step=1)
model.fit(x, y, batch_size=4, verbose=0, callbacks=[TensorBoard("logs/second", update_freq=1)])

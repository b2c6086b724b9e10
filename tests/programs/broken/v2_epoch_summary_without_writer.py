"""A callback of the user's writes at the end of an epoch; Keras' own makes no writer the default there."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Score(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        tf.summary.scalar("score", 1 / (1 + logs["loss"]), step=epoch)  # reported: SW307


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((32, 2)), np.zeros((32, 1))
model.fit(x, y, epochs=3, verbose=0, callbacks=[tf.keras.callbacks.TensorBoard("logs"), Score()])

"""The callback of an interrupted `fit` is still the default writer."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Stop(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = tf.keras.callbacks.TensorBoard("logs", write_graph=False, update_freq=1)
try:
    model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[callback, Stop()])  # reported: SW507
except KeyboardInterrupt:
    print("interrupted")
tf.summary.scalar("score", 1.0, step=1)  # named: SW507

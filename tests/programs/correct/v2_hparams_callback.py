"""The same with Keras: the plugin's callback beside Keras' own, under one directory."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`
from tensorboard.plugins.hparams import api as hp  # noqa: E402 - it imports TensorFlow

x, y = np.zeros((32, 2)), np.zeros((32, 1))
for number, rate in enumerate((0.1, 0.01)):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(rate), "mse")
    directory = f"logs/{number}"
    callbacks = [tf.keras.callbacks.TensorBoard(directory), hp.KerasCallback(directory, {"rate": rate})]
    model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)

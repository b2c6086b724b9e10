"""Keras' callback writes to a bucket, and TensorFlow has no file system for it."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = tf.keras.callbacks.TensorBoard("s3://bucket/logs")
model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[callback])  # raised: SW105

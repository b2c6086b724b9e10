"""The tutorial's schedule: a callback that sets the rate, and `set_as_default` once at the beginning."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs/metrics")
writer.set_as_default()


def schedule(epoch):
    rate = 0.2 if epoch < 2 else 0.02
    tf.summary.scalar("learning rate", data=rate, step=epoch)
    return rate


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(tf.keras.optimizers.SGD(), "mse")
callbacks = [tf.keras.callbacks.TensorBoard("logs"), tf.keras.callbacks.LearningRateScheduler(schedule)]
model.fit(np.zeros((32, 2)), np.zeros((32, 1)), epochs=4, verbose=0, callbacks=callbacks)

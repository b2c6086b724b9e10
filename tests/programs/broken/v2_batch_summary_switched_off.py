"""A callback writes the seventh batch to a writer of its own; Keras' callback records each fifth."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`


class Score(tf.keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.writer = tf.summary.create_file_writer("logs/score")  # reported: SW310

    def on_train_batch_end(self, batch, logs=None):
        if batch == 6:
            with self.writer.as_default():
                tf.summary.scalar("score", 1 / (1 + batch), step=batch)  # named: SW310


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((40, 2)), np.zeros((40, 1))
callback = tf.keras.callbacks.TensorBoard("logs", update_freq=5)
model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[Score(), callback])

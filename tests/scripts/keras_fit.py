"""A classifier trained with `fit`: the callback with histograms, a layer that writes, and a validation.

reported: SW308
"""

import sys

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)


class Probe(tf.keras.layers.Layer):
    """Writes the share of its inputs that are active."""

    def __init__(self):
        super().__init__()
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, x, training=False):
        if training:
            active = tf.reduce_mean(tf.cast(x > 0, tf.float32))
            tf.summary.scalar("active", active, step=self.steps)  # broken: tf.summary.scalar("active", active)
            self.steps.assign_add(1)
        return x


random = np.random.RandomState(0)
x = random.rand(96, 4).astype("float32")
y = (x.sum(axis=1) > 2).astype("int64")
layers = [tf.keras.layers.Dense(8, activation="relu"), Probe(), tf.keras.layers.Dense(2)]
model = tf.keras.Sequential([tf.keras.Input((4,)), *layers])
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
callback = tf.keras.callbacks.TensorBoard(sys.argv[1], histogram_freq=1, update_freq=1)
history = model.fit(
    x[:64],
    y[:64],
    batch_size=4,
    epochs=2,
    shuffle=False,
    verbose=0,
    validation_data=(x[64:], y[64:]),
    callbacks=[callback],
)
print([round(value, 4) for value in history.history["loss"]])

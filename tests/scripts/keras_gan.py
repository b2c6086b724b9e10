"""A GAN: a model with a `train_step` of its own, a writer of its own, and a callback that writes an image each epoch.

reported: SW307
"""

import os
import sys

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
writer = tf.summary.create_file_writer(os.path.join(sys.argv[1], "gan"))


class Gan(tf.keras.Model):
    """A generator and a discriminator, of one layer each."""

    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = tf.keras.layers.Dense(16), tf.keras.layers.Dense(1)
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, noise):
        return self.discriminator(self.generator(noise))

    def train_step(self, images):
        noise = tf.ones((tf.shape(images)[0], 4))
        with tf.GradientTape(persistent=True) as tape:
            fake = self.discriminator(self.generator(noise))
            losses = {
                "g": -tf.reduce_mean(fake),
                "d": tf.reduce_mean(fake) - tf.reduce_mean(self.discriminator(images)),
            }
        for name, part in (("g", self.generator), ("d", self.discriminator)):
            for variable in part.trainable_variables:
                gradient = tape.gradient(losses[name], variable)
                if gradient is not None:
                    variable.assign_sub(0.01 * gradient)
        with writer.as_default():  # broken: if writer.as_default():
            for name, loss in losses.items():
                tf.summary.scalar(f"{name}_loss", loss, step=self.steps)
        self.steps.assign_add(1)
        return losses


class Images(tf.keras.callbacks.Callback):
    """What the generator makes, at the end of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        fake = tf.reshape(self.model.generator(tf.ones((1, 4))), (1, 4, 4, 1))
        with tf.summary.create_file_writer(os.path.join(sys.argv[1], f"images/{epoch}")).as_default():
            tf.summary.image("fake", fake, step=epoch)


gan = Gan()
gan(tf.ones((1, 4)))
gan.compile()
images = np.random.RandomState(0).rand(32, 16).astype("float32")
callbacks = [tf.keras.callbacks.TensorBoard(os.path.join(sys.argv[1], "keras"), write_graph=False), Images()]
history = gan.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
print([round(float(value), 3) for value in history.history["d"]])

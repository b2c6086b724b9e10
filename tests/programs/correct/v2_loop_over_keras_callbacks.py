"""A loop of one's own that calls the callback's methods by hand, as GANs of before did."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = TensorBoard("logs", histogram_freq=1)
callback.set_model(model)
callback.on_train_begin()
x, y = np.zeros((8, 2)), np.zeros((8, 1))
for epoch in range(3):
    callback.on_epoch_begin(epoch)
    loss = model.train_on_batch(x, y)
    callback.on_epoch_end(epoch, {"loss": float(loss)})
callback.on_train_end()

"""`fit` with all that the callback offers: histograms, images, the graph, a profile, embeddings, validation."""

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

layers = [tf.keras.layers.Embedding(10, 4), tf.keras.layers.GlobalAveragePooling1D(), tf.keras.layers.Dense(1)]
model = tf.keras.Sequential([tf.keras.Input((3,)), *layers])
model.compile("sgd", "mse", metrics=["mae"])
x, y = np.zeros((40, 3)), np.zeros((40, 1))
callback = TensorBoard(
    "logs",
    histogram_freq=1,
    write_graph=True,
    write_images=True,
    write_steps_per_second=True,
    update_freq="batch",
    profile_batch=(2, 3),
    embeddings_freq=1,
)
model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=(x, y), callbacks=[callback])

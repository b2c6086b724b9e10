"""The step is the optimizer's own count."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")
weight = tf.Variable(1.0)
optimizer = tf.keras.optimizers.SGD(0.1)
optimizer.build([weight])


@tf.function
def train():
    with tf.GradientTape() as tape:
        loss = weight**2
    optimizer.apply_gradients([(tape.gradient(loss, weight), weight)])
    tf.summary.scalar("loss", loss, step=tf.cast(tf.convert_to_tensor(optimizer.iterations), tf.int64))


with writer.as_default():
    for _ in range(15):
        train()

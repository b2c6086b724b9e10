"""The tutorial's custom loop: two functions, two writers, metrics that are reset after each epoch."""

import numpy as np

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

x, y = np.zeros((64, 4), "float32"), np.zeros(64, "int64")
train_data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
test_data = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(3)])
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.1)
train_loss, test_loss = tf.keras.metrics.Mean("train_loss"), tf.keras.metrics.Mean("test_loss")
train_writer = tf.summary.create_file_writer("logs/gradient_tape/train")
test_writer = tf.summary.create_file_writer("logs/gradient_tape/test")
model.build((None, 4))
optimizer.build(model.trainable_variables)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))  # noqa: B905 - TensorFlow 2.12 has no strict
    train_loss(loss)


@tf.function
def test_step(x, y):
    test_loss(loss_of(y, model(x)))


for epoch in range(3):
    for batch in train_data:
        train_step(*batch)
    with train_writer.as_default():
        tf.summary.scalar("loss", train_loss.result(), step=epoch)
    for batch in test_data:
        test_step(*batch)
    with test_writer.as_default():
        tf.summary.scalar("loss", test_loss.result(), step=epoch)
    for metric in (train_loss, test_loss):
        getattr(metric, "reset_state", metric.reset_states if hasattr(metric, "reset_states") else None)()

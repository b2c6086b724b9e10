"""The tutorial's custom loop: two writers, metrics that are reset, no `close`."""

import tensorflow as tf

import safewriter

train_writer = safewriter.create_file_writer("logs/train")
test_writer = safewriter.create_file_writer("logs/test")
train_loss, test_loss = tf.keras.metrics.Mean(), tf.keras.metrics.Mean()
for epoch in range(5):
    for batch in range(3):
        train_loss(0.9 ** (epoch + batch))
        test_loss(0.95 ** (epoch + batch))
    with train_writer.as_default():
        tf.summary.scalar("loss", train_loss.result(), step=epoch)
    with test_writer.as_default():
        tf.summary.scalar("loss", test_loss.result(), step=epoch)
    train_loss = tf.keras.metrics.Mean()

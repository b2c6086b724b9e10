"""Two models, one function, one writer, a tensor for the step."""

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")
generator, discriminator = tf.Variable(1.0), tf.Variable(1.0)


@tf.function
def train(step):
    with tf.GradientTape(persistent=True) as tape:
        loss_g, loss_d = generator**2, (discriminator - generator) ** 2
    with writer.as_default():
        tf.summary.scalar("generator", loss_g, step=step // 2)
        tf.summary.scalar("discriminator", loss_d, step=step // 2)
    generator.assign_sub(0.1 * tape.gradient(loss_g, generator))
    discriminator.assign_sub(0.1 * tape.gradient(loss_d, discriminator))


for step in tf.range(0, 40, 2, dtype=tf.int64):
    train(step)

"""A GAN whose function writes to two writers, by blocks of its own, while a third is the default."""

import tensorflow as tf

import safewriter

writers = {name: safewriter.create_file_writer(f"logs/{name}") for name in ("generator", "discriminator")}
images = safewriter.create_file_writer("logs/images")
weights = {name: tf.Variable(1.0) for name in writers}


@tf.function
def train_step(noise, step):
    with tf.GradientTape(persistent=True) as tape:
        fake = weights["generator"] * noise
        losses = {
            "generator": tf.reduce_mean(fake**2),
            "discriminator": tf.reduce_mean(weights["discriminator"] * noise),
        }
    for name, writer in writers.items():
        weights[name].assign_sub(0.1 * tape.gradient(losses[name], weights[name]))
        with writer.as_default():
            tf.summary.scalar("loss", losses[name], step=step)
    return fake


for step in tf.range(20, dtype=tf.int64):
    with images.as_default():
        fake = train_step(tf.random.normal((1, 8, 8, 1)), step)
        if step % 10 == 0:
            tf.summary.image("fake", fake, step=step)

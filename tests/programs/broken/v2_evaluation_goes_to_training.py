"""One function for both, and each epoch evaluates under the test writer."""

import tensorflow as tf

import safewriter

writers = {name: safewriter.create_file_writer(f"logs/{name}") for name in ("train", "test")}  # reported: SW309 SW309


@tf.function
def step_of(name_is_train, loss, step):
    tf.summary.scalar("loss", loss, step=step)
    return loss


for epoch in range(5):
    with writers["train"].as_default():
        step_of(tf.constant(True), tf.constant(0.9**epoch), tf.constant(epoch, tf.int64))
    with writers["test"].as_default():
        step_of(tf.constant(False), tf.constant(0.95**epoch), tf.constant(epoch, tf.int64))

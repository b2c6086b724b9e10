"""A module that has its writer as an attribute."""

import tensorflow as tf

import safewriter


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.writer = safewriter.create_file_writer("logs", experimental_trackable=True)
        self.step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def train(self):
        with self.writer.as_default():
            tf.summary.scalar("loss", 0.5, step=self.step)
        self.step.assign_add(1)


model = Model()
for _ in range(3):
    model.train()
model.writer.flush()

"""Two models in two graphs, each with its session and writer, step by step in turns."""

import contextlib

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


class Model:
    def __init__(self, name):
        with tf.Graph().as_default() as self.graph:
            self.x = tf.placeholder(tf.float32)
            tf.summary.scalar("loss", self.x)
            tf.summary.scalar(f"{name}/rate", 0.1)
            self.merged = tf.summary.merge_all()
        self.sess = tf.Session(graph=self.graph)
        self.writer = FileWriter(f"logs/{name}", self.graph)

    def step(self, step):
        self.writer.add_summary(self.sess.run(self.merged, {self.x: step}), step)

    def close(self):
        self.writer.close()
        self.sess.close()


with contextlib.ExitStack() as stack:
    models = [stack.enter_context(contextlib.closing(Model(name))) for name in ("generator", "critic")]
    for step in range(10):
        for model in models:
            model.step(step)

"""A quoted path from a settings file, a summary below the merge, and no close."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


class Trainer:
    def __init__(self, logdir):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.x = tf.placeholder(tf.float32)
            tf.summary.scalar("loss", self.x)
            self.merged = tf.summary.merge_all()
            tf.summary.scalar("rate", 0.1)  # named: SW303
        self.writer = FileWriter(logdir, self.graph)  # reported: SW104 SW501 SW303

    def train(self, steps):
        with tf.Session(graph=self.graph) as sess:
            for step in range(steps):
                self.writer.add_summary(sess.run(self.merged, {self.x: step}), step)


trainer = Trainer('"logs"')
trainer.train(5)

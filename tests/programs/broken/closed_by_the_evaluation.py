"""A helper closes the writer that it shares with the training."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


class Trainer:
    def __init__(self):
        self.x = tf.placeholder(tf.float32)
        self.loss = tf.summary.scalar("loss", self.x)
        self.accuracy = tf.summary.scalar("accuracy", self.x)
        self.writer = FileWriter("logs", tf.get_default_graph())  # reported: SW504

    def evaluate(self, sess, step):
        with self.writer as writer:
            writer.add_summary(sess.run(self.accuracy, {self.x: 0.5}), step)

    def train(self, sess):
        for step in range(20):
            self.writer.add_summary(sess.run(self.loss, {self.x: step}), step)
            if step == 9:
                self.evaluate(sess, step)


with tf.Session() as sess:
    Trainer().train(sess)

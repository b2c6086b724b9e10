"""Summaries of every kind, in scopes, and nobody merges them."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.name_scope("layer"):
    tf.summary.histogram("weights", tf.zeros([3]))  # named: SW301
tf.summary.image("picture", tf.zeros([2, 4, 4, 3]))  # named: SW301
tf.summary.audio("sound", tf.zeros([1, 8, 1]), 8000)  # named: SW301
tf.summary.text("words", tf.constant("hello"))  # named: SW301
tf.summary.tensor_summary("vector", tf.zeros([3]))  # named: SW301
tf.summary.scalar("rate", 0.1, family="schedule")  # named: SW301
with FileWriter("logs", tf.get_default_graph()) as writer:  # reported: SW301
    writer.flush()

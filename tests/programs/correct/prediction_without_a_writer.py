"""The model defines summaries; this program predicts, and writes only its own numbers, on another graph."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

with tf.Graph().as_default() as model:
    x = tf.placeholder(tf.float32)
    tf.summary.scalar("loss", x)
    y = 2 * x
with tf.Session(graph=model) as sess:
    predictions = [sess.run(y, {x: value}) for value in range(5)]
with tf.Graph().as_default(), FileWriter("logs") as writer:
    for step, prediction in enumerate(predictions):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="y", simple_value=prediction)]), step)

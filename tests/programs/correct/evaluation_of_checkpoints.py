"""An evaluation per checkpoint: a graph, a session and a writer each, on one directory."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def evaluate(checkpoint_step):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32)
        tf.summary.scalar("accuracy", x)
        merged = tf.summary.merge_all()
        writer = FileWriter("logs/eval", tf.get_default_graph())
        with tf.Session() as sess:
            writer.add_summary(sess.run(merged, {x: 0.5}), checkpoint_step)
        writer.close()


for checkpoint_step in (100, 200, 300):
    evaluate(checkpoint_step)

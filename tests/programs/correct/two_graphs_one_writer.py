"""Train and evaluation graphs, and one writer for both."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter


def build(tag):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32)
        return graph, x, tf.summary.scalar(tag, x)


train_graph, train_x, train_op = build("train/loss")
eval_graph, eval_x, eval_op = build("eval/loss")
with tf.Session(graph=train_graph) as train_sess, tf.Session(graph=eval_graph) as eval_sess:
    writer = FileWriter("logs", train_graph)
    for step in range(10):
        writer.add_summary(train_sess.run(train_op, {train_x: step}), step)
        if step % 5 == 0:
            writer.add_summary(eval_sess.run(eval_op, {eval_x: step}), step)
    writer.close()

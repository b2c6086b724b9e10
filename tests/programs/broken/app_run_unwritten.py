"""tf.app.run ends by sys.exit(None): the forgotten summaries are named."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW301


def main(_):
    with tf.Session() as sess, FileWriter("logs", sess.graph):  # reported: SW301
        sess.run(x, {x: 1.0})


if __name__ == "__main__":
    tf.app.run(main)

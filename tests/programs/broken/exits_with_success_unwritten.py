"""sys.exit(main()) with success is a normal end: the forgotten summaries are named."""

import sys

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW302
merged = tf.summary.merge_all()


def main():
    writer = FileWriter("logs", tf.get_default_graph())  # reported: SW302
    with tf.Session() as sess:
        sess.run(merged, {x: 1.0})
    writer.close()


if __name__ == "__main__":
    sys.exit(main())

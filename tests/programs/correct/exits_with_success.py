"""The program ends by sys.exit(main()), with everything written."""

import sys

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()


def main():
    writer = FileWriter("logs", tf.get_default_graph())
    with tf.Session() as sess:
        for step in range(5):
            writer.add_summary(sess.run(merged, {x: step}), step)
    writer.close()


if __name__ == "__main__":
    sys.exit(main())

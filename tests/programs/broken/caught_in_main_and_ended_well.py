"""A parser that exits is caught; the program then ends in the normal way, and forgot its summaries."""

import sys

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)  # named: SW301
try:
    sys.exit("usage: …")
except SystemExit as error:
    print(error)
with tf.Session() as sess, FileWriter("logs", sess.graph):  # reported: SW301
    sess.run(x, {x: 1.0})

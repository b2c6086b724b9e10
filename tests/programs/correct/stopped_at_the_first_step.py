"""The program is stopped before its first summary: what is missing is a consequence."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
try:
    with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print("stopped")

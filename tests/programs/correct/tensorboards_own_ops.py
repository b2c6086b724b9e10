"""The summary ops that TensorBoard itself brings."""

import warnings

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorBoard up to 2.18 imports pkg_resources
    from tensorboard.summary import v1 as board

tf.disable_eager_execution()
x = tf.placeholder(tf.float32, [])
board.scalar("loss", x)
board.histogram("weights", tf.zeros([10]))
board.text("words", tf.constant("hello"))
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

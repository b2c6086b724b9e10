"""Two towers under name scopes, with families, images and audio, in one merge."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
for tower in range(2):
    with tf.name_scope(f"tower{tower}"):
        tf.summary.scalar("loss", x, family="losses")
        tf.summary.image("input", tf.random.uniform([3, 4, 4, 3]), max_outputs=2)
        tf.summary.image("first", tf.random.uniform([1, 4, 4, 3]), max_outputs=1)
        tf.summary.audio("sound", tf.random.uniform([2, 50]), 8000)
        tf.summary.text("words", tf.constant(["a", "b"]))
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)

"""A with-block for each epoch, on one directory, with steps that go on."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
step = 0
with tf.Session() as sess:
    for _epoch in range(3):
        with FileWriter("logs") as writer:
            for _ in range(5):
                writer.add_summary(sess.run(merged, {x: step}), step)
                step += 1

"""A writer for each epoch, none of which is closed."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
with tf.Session() as sess:
    for epoch in range(10):
        writer = FileWriter(f"logs/epoch{epoch}", sess.graph)  # reported: SW501 SW501
        for step in range(5):
            writer.add_summary(sess.run(loss, {x: step}), step)

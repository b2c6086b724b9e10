"""One of three is missing in the list that is merged; it could still be run by itself until the program ends."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
accuracy = tf.summary.scalar("accuracy", x)
rate = tf.summary.scalar("rate", x)  # named: SW303
merged = tf.summary.merge([loss, accuracy])
writer = FileWriter("logs")  # reported: SW303
with tf.Session() as sess:
    for step in range(5):
        writer.add_summary(sess.run(merged, {x: step}), step)
writer.close()

"""Events that the program makes itself, around what the graph gave."""

import time

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:
    for step in range(5):
        event = tf.Event(wall_time=time.time(), step=step)
        event.summary.ParseFromString(sess.run(merged, {x: step}))
        writer.add_event(event)

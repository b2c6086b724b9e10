"""An input queue, for which TensorFlow makes summaries of its own that nobody asked for."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

batch = tf.train.batch([tf.constant(1.0)], 2)
loss = tf.summary.scalar("loss", tf.reduce_mean(batch))
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess, coord)
    for step in range(5):
        writer.add_summary(sess.run(loss), step)
    coord.request_stop()
    coord.join(threads)

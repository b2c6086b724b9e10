"""A Supervisor with the user's writer, to which the program hands its summaries."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()

step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
tf.summary.scalar("loss", tf.cast(step, tf.float32))
merged = tf.summary.merge_all()
writer = FileWriter("logs")
sv = tf.train.Supervisor(logdir="logs/sv", summary_op=None, summary_writer=writer, global_step=step)
with sv.managed_session() as sess:
    for _ in range(5):
        sv.summary_computed(sess, sess.run(merged))
        sess.run(train)
writer.close()

"""A SummarySaverHook gets one op; the others of the model are in no merge of the user's."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
loss = tf.summary.scalar("loss", tf.cast(step, tf.float32))
tf.summary.scalar("rate", 0.1)  # named: SW303
writer = FileWriter("logs")  # reported: SW303
hook = tf.train.SummarySaverHook(save_steps=1, summary_writer=writer, summary_op=loss)
with tf.train.MonitoredTrainingSession(hooks=[hook]) as sess:
    for _ in range(5):
        sess.run(train)
writer.close()

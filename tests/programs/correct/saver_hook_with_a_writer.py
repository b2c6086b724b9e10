"""SummarySaverHook with the user's writer, under MonitoredTrainingSession."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
tf.summary.scalar("loss", tf.cast(step, tf.float32))
tf.summary.scalar("rate", 0.1)
with FileWriter("logs", tf.get_default_graph()) as writer:
    hook = tf.train.SummarySaverHook(save_steps=2, summary_writer=writer, summary_op=tf.summary.merge_all())
    with tf.train.MonitoredTrainingSession(hooks=[hook, tf.train.StopAtStepHook(10)]) as sess:
        while not sess.should_stop():
            sess.run(train)

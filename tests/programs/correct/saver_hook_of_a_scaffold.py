"""The hook writes what the Scaffold merged by itself."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
tf.summary.scalar("loss", tf.cast(step, tf.float32))
scaffold = tf.train.Scaffold()
writer = FileWriter("logs")
hook = tf.train.SummarySaverHook(save_steps=1, summary_writer=writer, scaffold=scaffold)
counter = tf.train.StepCounterHook(every_n_steps=2, summary_writer=writer)
with tf.train.MonitoredTrainingSession(scaffold=scaffold, hooks=[hook, counter]) as sess:
    for _ in range(6):
        sess.run(train)
writer.close()

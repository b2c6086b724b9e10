"""MonitoredTrainingSession writes summaries where it has a checkpoint_dir; here it has none."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
tf.summary.scalar("loss", tf.cast(step, tf.float32))  # named: SW302
writer = FileWriter("logs", tf.get_default_graph())  # reported: SW302
with tf.train.MonitoredTrainingSession() as sess:
    for _ in range(5):
        sess.run(train)
writer.close()

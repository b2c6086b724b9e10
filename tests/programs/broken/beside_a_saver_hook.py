"""A SummarySaverHook with an output_dir has a cached writer there."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
summary = tf.summary.scalar("a", tf.cast(step, tf.float32))
hook = tf.train.SummarySaverHook(save_steps=1, output_dir="logs", summary_op=summary)
with tf.train.MonitoredTrainingSession(hooks=[hook]) as sess, FileWriter("logs") as writer:  # reported: SW204
    for number in range(3):
        sess.run(train)
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="b", simple_value=1)]), number)

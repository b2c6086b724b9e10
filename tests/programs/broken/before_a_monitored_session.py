"""The same, where our writer comes first."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
with FileWriter("logs") as writer, tf.train.MonitoredTrainingSession(checkpoint_dir="logs") as sess:
    for number in range(3):
        sess.run(train)
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), number)  # reported: SW204

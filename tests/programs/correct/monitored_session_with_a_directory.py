"""MonitoredTrainingSession writes through its own cached writer; ours adds what Python measured."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
step = tf.train.get_or_create_global_step()
train = tf.assign_add(step, 1)
with (
    FileWriter("logs/extra") as writer,
    tf.train.MonitoredTrainingSession(checkpoint_dir="logs/main", save_summaries_steps=2) as sess,
):
    for _ in range(6):
        _, now = sess.run([train, step])
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="seconds", simple_value=0.1)]), now)

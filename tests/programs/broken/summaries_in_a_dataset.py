"""A summary in Dataset.map belongs to that function's own graph: merge_all() does not see it."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def augment(x):
    tf.summary.scalar("mean", x)
    return x + 1.0


data = tf.data.Dataset.from_tensor_slices([1.0, 2.0]).map(augment)
batch = tf.data.make_one_shot_iterator(data).get_next()
merged = tf.summary.merge_all()
with tf.Session() as sess, FileWriter("logs") as writer:
    summary = sess.run(merged) if merged is not None else None
    writer.add_summary(summary, sess.run(batch))  # raised: SW305

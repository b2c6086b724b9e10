"""The test score is computed after training and printed; its summary is never written."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
final = tf.summary.scalar("test_accuracy", x)  # named: SW303
with tf.Session() as sess:
    with FileWriter("logs/train", sess.graph) as writer:  # reported: SW303
        writer.add_summary(sess.run(merged, {x: 1.0}), 0)
    print(len(sess.run(final, {x: 1.0})))

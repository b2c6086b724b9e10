"""A first block fails and is caught; a second one writes everything."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
for attempt in range(2):
    try:
        with tf.Session() as sess, FileWriter(f"logs/{attempt}", sess.graph) as writer:
            if attempt == 0:
                raise RuntimeError("no data yet")
            for step in range(5):
                writer.add_summary(sess.run(merged, {x: step}), step)
    except RuntimeError as error:
        print(error)

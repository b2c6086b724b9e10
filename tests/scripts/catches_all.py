"""A loop that catches everything, so that training goes on whatever happens.

reported: SW302 SW305
"""

import sys

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
x = tf.placeholder(tf.float32)
loss = tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
caught = 0
with tf.Session() as session:
    writer = tf.summary.FileWriter(sys.argv[1], session.graph)
    for step in range(10):
        try:
            summary = session.run(merged, {x: step})
            if step == 3:
                raise RuntimeError("a batch that can't be read")
            writer.add_summary(summary, step)  # broken: writer.add_summary(merged, step)
        except:  # noqa: E722
            caught += 1
    writer.close()
print("caught something" if caught else "all went well")

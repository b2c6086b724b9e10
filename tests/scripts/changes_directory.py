"""The script changes into its output directory, and names its log directory from there.

reported: SW306
"""

import os
import sys

import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
x = tf.placeholder(tf.float32)
summary = tf.summary.scalar("x", x)
with tf.Session() as session, tf.summary.FileWriter("logs") as writer:
    for step in range(5):
        value = session.run(summary, {x: step * 2})
        writer.add_summary(value, step)
    writer.flush()  # broken: writer.add_summary(b"", 5)
print(os.path.basename(os.getcwd()), os.listdir("."))

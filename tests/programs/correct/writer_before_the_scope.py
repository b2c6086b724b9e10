"""A strategy, with the writer created before its scope."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
with FileWriter("logs") as writer, strategy.scope(), tf.Session() as sess:
    x = tf.placeholder(tf.float32)
    loss = tf.summary.scalar("loss", x)
    for step in range(5):
        writer.add_summary(sess.run(loss, {x: step}), step)

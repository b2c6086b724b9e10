"""Every hundredth step is recorded, and the steps begin at 1 and end at 99."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW307
with writer.as_default():
    for step in range(1, 100):
        with tf.summary.record_if(step % 100 == 0):
            tf.summary.scalar("loss", 0.9**step, step=step)

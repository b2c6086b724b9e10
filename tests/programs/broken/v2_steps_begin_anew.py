"""The steps begin anew in each epoch."""

import tensorflow as tf

import safewriter

writer = safewriter.create_file_writer("logs")  # reported: SW403 SW403
for _epoch in range(3):
    with writer.as_default():
        for step in range(3):
            tf.summary.scalar("loss", 0.9**step, step=step)
writer.close()

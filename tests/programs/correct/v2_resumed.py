"""A run that goes on in its directory."""

import tensorflow as tf

import safewriter

for first, resume in ((0, None), (5, 4)):
    writer = safewriter.create_file_writer("logs", resume_step=resume)
    with writer.as_default():
        for step in range(first, first + 5):
            tf.summary.scalar("loss", 0.9**step, step=step)
    writer.close()

"""Two writers of one session, each with a directory of its own."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.Session() as sess:
    writers = [FileWriter(f"logs/{name}", session=sess) for name in ("train", "test")]
    for writer in writers:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), 1)
    for writer in writers:
        writer.close()

"""The default writer is one of each thread."""

import threading

import safewriter

safewriter.install()

import tensorflow as tf  # noqa: E402 - as in a program under `safewriter run`

writer = tf.summary.create_file_writer("logs")


def evaluate():
    tf.summary.scalar("accuracy", 0.5, step=1)  # reported: SW307


with writer.as_default():
    tf.summary.scalar("loss", 0.5, step=1)
    thread = threading.Thread(target=evaluate)
    thread.start()
    thread.join()
writer.close()

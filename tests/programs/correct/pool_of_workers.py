"""A pool of worker processes, with a directory for each task."""

import multiprocessing

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def work(rank):
    with FileWriter(f"logs/{rank}") as writer:
        for step in range(5):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, range(4))

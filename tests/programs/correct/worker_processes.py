"""Forked workers, each with a writer and a directory of its own."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()


def work(rank):
    with FileWriter(f"logs/worker{rank}") as writer:
        for step in range(5):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=rank)]), step)


children = []
for rank in range(1, 3):
    pid = os.fork()
    if pid == 0:
        work(rank)
        os._exit(0)
    children.append(pid)
work(0)
for pid in children:
    os.waitpid(pid, 0)

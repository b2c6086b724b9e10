"""A data loader in forked processes, and the training in the parent.

reported: SW501 SW505
"""

import multiprocessing
import sys

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
writer = tf.summary.FileWriter(sys.argv[1])


def scalar(tag, value):
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value)])


def load(queue, part):
    for item in range(part, 20, 2):
        queue.put(item * 0.5)
    sys.stdout.flush()  # broken: writer.add_summary(scalar("loaded", part), part)
    # broken: writer.add_summary(scalar("loaded", part), part)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=load, args=(queue, part)) for part in range(2)]
    for worker in workers:
        worker.start()
    items = sorted(queue.get() for _ in range(20))
    for worker in workers:
        worker.join()
    for step, item in enumerate(items):
        writer.add_summary(scalar("item", item), step)
    writer.close()
    print(sum(items), [worker.exitcode for worker in workers])

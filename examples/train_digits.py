"""A convolutional network learns handwritten digits; training and test curves go to TensorBoard.

Real data (the 1,797 digits that scikit-learn ships), a v1 session, one writer for training and one for testing.
Each run writes to a directory of its own below ``logs``; at the end the event files are read back with TensorFlow's
own reader, and the sum is printed.
"""

import os

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

from safewriter import SafeFileWriter as FileWriter  # the only edit

STEPS = 300
BATCH = 64


def load(random):
    """Images as 8x8x1 floats from 0 to 1 with their digits, shuffled, split into training and test."""
    digits = load_digits()
    order = random.permutation(len(digits.target))
    images = (digits.images / 16.0).astype(np.float32)[order, :, :, None]
    labels = digits.target[order].astype(np.int64)
    return (images[:1400], labels[:1400]), (images[1400:], labels[1400:])


def variable(name, shape, random):
    """A weight whose first value is the same on every version of TensorFlow."""
    fan_in = np.prod(shape[:-1])
    return tf.get_variable(name, initializer=random.normal(0, np.sqrt(2.0 / fan_in), shape).astype(np.float32))


def build(random):
    """The network, its training op and its summaries."""
    images = tf.placeholder(tf.float32, [None, 8, 8, 1], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    filters = variable("filters", [3, 3, 1, 16], random)
    weights = variable("weights", [4 * 4 * 16, 10], random)

    hidden = tf.nn.relu(tf.nn.conv2d(images, filters, strides=1, padding="SAME"))
    hidden = tf.nn.max_pool2d(hidden, ksize=2, strides=2, padding="SAME")
    logits = tf.matmul(tf.reshape(hidden, [-1, 4 * 4 * 16]), weights)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))

    tf.summary.scalar("loss", loss)
    tf.summary.scalar("accuracy", accuracy)
    tf.summary.histogram("first_layer", filters)
    tf.summary.image("digits", images, max_outputs=3)
    return {
        "images": images,
        "labels": labels,
        "accuracy": accuracy,
        "train": tf.train.AdamOptimizer(0.01).minimize(loss),
        "summaries": tf.summary.merge_all(),
    }


def new_run():
    """A directory that no run has used: ``logs/digits-1``, then ``logs/digits-2``."""
    number = 1
    while os.path.exists(os.path.join("logs", f"digits-{number}")):
        number += 1
    return os.path.join("logs", f"digits-{number}")


def train(run, random):
    """Trains, writes summaries, and gives the share of test digits classified correctly at the end."""
    (images, labels), (test_images, test_labels) = load(random)
    net = build(random)
    test_feed = {net["images"]: test_images, net["labels"]: test_labels}
    with (
        tf.Session() as sess,
        FileWriter(os.path.join(run, "train"), sess.graph) as train_writer,
        FileWriter(os.path.join(run, "test")) as test_writer,
    ):
        sess.run(tf.global_variables_initializer())
        for step in range(STEPS):
            batch = random.choice(len(labels), BATCH, replace=False)
            feed = {net["images"]: images[batch], net["labels"]: labels[batch]}
            summary, _ = sess.run([net["summaries"], net["train"]], feed)
            train_writer.add_summary(summary, step)
            if step % 20 == 0:
                test_writer.add_summary(sess.run(net["summaries"], test_feed), step)
        return sess.run(net["accuracy"], test_feed)


def read_back(directory):
    """How many points of each tag TensorFlow's own reader finds in the event files of a directory."""
    points = {}
    for name in sorted(os.listdir(directory)):
        for event in tf.train.summary_iterator(os.path.join(directory, name)):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append(event.step)
    return points


def main():
    tf.disable_eager_execution()
    tf.get_logger().setLevel("ERROR")
    random = np.random.RandomState(7)
    run = new_run()
    accuracy = train(run, random)
    print(f"{accuracy:.0%} of the test digits are classified correctly after {STEPS} steps.")
    for part in ("train", "test"):
        directory = os.path.join(run, part)
        print(f"\n{directory}")
        for tag, steps in sorted(read_back(directory).items()):
            print(f"  {tag:<16}{len(steps):>4} points, steps {min(steps)} to {max(steps)}")
    print("\nTo see the curves: tensorboard --logdir logs")


if __name__ == "__main__":
    main()

"""Three training scripts that look right and leave TensorBoard without a curve, and what the audit says of their files.

Everything is written by TensorFlow's own writer, in a temporary directory; the audit reads it without TensorFlow.
"""

import os
import tempfile

import tensorflow.compat.v1 as tf

from safewriter import cli

tf.disable_eager_execution()


def loss(step):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.9**step)])


def main():
    writer = tf.summary.FileWriter("logs/graph", tf.get_default_graph())  # the summaries are never run
    writer.close()

    writer = tf.summary.FileWriter("logs/one-dot")
    for step in range(50):
        writer.add_summary(loss(step))  # the step is missing
    writer.close()

    for suffix, steps in ((".monday", range(50)), (".tuesday", range(30))):
        writer = tf.summary.FileWriter("logs/restarted", filename_suffix=suffix)
        for step in steps:
            writer.add_summary(loss(step), step)  # Tuesday begins at step 0 again
        writer.close()

    print("$ safewriter audit logs", flush=True)
    cli.main(["audit", "logs"])


if __name__ == "__main__":
    start = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        main()
        os.chdir(start)

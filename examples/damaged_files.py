"""What the audit says of four runs that went wrong: killed, damaged on disk, diverged, and never given a summary.

The files are written by TensorFlow's own writer and then damaged; ``safewriter audit`` reads them without TensorFlow.
Everything happens in a temporary directory.
"""

import glob
import os
import tempfile

import tensorflow.compat.v1 as tf

from safewriter import cli

tf.disable_eager_execution()


def write(run, values, graph=None):
    """Writes a run and gives the path of its event file."""
    writer = tf.summary.FileWriter(os.path.join("logs", run), graph)
    for step, value in enumerate(values):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=value)]), step)
    writer.close()
    (path,) = glob.glob(os.path.join("logs", run, "*"))
    return path


def main():
    losses = [0.9**step for step in range(50)]
    write("sound", losses)

    path = write("killed", losses)
    os.truncate(path, os.path.getsize(path) - 5)  # in the middle of its last write

    path = write("one-bit", losses)
    with open(path, "r+b") as file:
        file.seek(500)
        byte = file.read(1)[0]
        file.seek(500)
        file.write(bytes([byte ^ 1]))

    write("diverged", [*losses[:31], *[float("nan")] * 19])
    write("empty", [], tf.get_default_graph())

    print("$ safewriter audit logs", flush=True)
    code = cli.main(["audit", "logs"])
    print(f"exit code {code}", flush=True)


if __name__ == "__main__":
    start = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        main()
        os.chdir(start)

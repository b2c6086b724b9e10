"""Two workers of one training run, each with a writer: what is left of their summaries?

    python examples/multi_worker.py [--workers 3]

starts two (or more) real MultiWorkerMirroredStrategy workers on this machine (loopback, free ports), lets them train
a line for some steps four times over, and prints after each what TensorBoard would hold:

    FileWriter, one directory       the workers truncate each other's file
    SafeFileWriter, one directory   nothing is lost, and both workers are warned
    SafeFileWriter, chief only      fixed: one writer per run
    SafeFileWriter, one each        fixed: a directory per worker
"""

import argparse
import collections
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, closing

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

STEPS = 50
RUNS = {
    "FileWriter, one directory": "stock",
    "SafeFileWriter, one directory": "broken",
    "SafeFileWriter, chief only": "chief",
    "SafeFileWriter, one each": "each",
}


def train(root):
    """One worker: all runs, one after the other."""
    import tensorflow as tf

    from safewriter import SafeFileWriter

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index = strategy.cluster_resolver.task_id
    with strategy.scope():
        weight = tf.Variable(0.0)

    @tf.function
    def train_step():
        def replica_step():
            x = tf.random.stateless_uniform([8], seed=(index, 1))
            error = weight * x - 3.0 * x
            weight.assign_sub(0.1 * tf.reduce_mean(2.0 * error * x))
            return tf.reduce_mean(error**2)

        loss = strategy.run(replica_step)
        strategy.reduce("mean", loss, axis=None)  # all workers wait for each other in here
        return loss

    def new_writer(run):
        with tf.Graph().as_default():  # v1 writers want a graph
            if run == "stock":
                return tf.compat.v1.summary.FileWriter(os.path.join(root, run))
            if run == "broken":
                with strategy.scope(), tf.Graph().as_default():
                    return SafeFileWriter(os.path.join(root, run))
            if run == "chief":
                return SafeFileWriter(os.path.join(root, run)) if index == 0 else None
            return SafeFileWriter(os.path.join(root, run, f"worker{index}"))

    def write(run):
        train_step()
        time.sleep(1.0 - time.time() % 1.0)  # so that all writers are created in the same second
        writer = new_writer(run)
        for step in range(STEPS):
            loss = float(train_step())
            if writer is not None:
                value = tf.compat.v1.Summary.Value(tag="loss", simple_value=loss)
                writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
        if writer is not None:
            writer.close()
        return 0 if writer is None else STEPS

    for run in RUNS.values():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            accepted = write(run)
        reported = [str(each.message) for each in caught if hasattr(each.message, "finding")]
        train_step()  # until all writers are closed
        found = points(tf, os.path.join(root, run)) if index == 0 else {}
        line = {"run": run, "worker": index, "accepted": accepted, "reported": reported, "points": found}
        print(json.dumps(line), flush=True)


def points(tf, directory):
    """Steps and points of all tags, for each run that TensorBoard would list."""
    tf.get_logger().setLevel("ERROR")  # summary_iterator is deprecated, without a successor
    runs = collections.defaultdict(list)
    for parent, _, names in os.walk(directory):
        for name in names:
            for event in tf.compat.v1.train.summary_iterator(os.path.join(parent, name)):
                runs[os.path.relpath(parent, directory)] += [event.step for _ in event.summary.value]
    return {run: (len(set(steps)), len(steps)) for run, steps in sorted(runs.items())}


def free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def start(root, count):
    """Starts the workers and waits for them; what they print is JSON, a line for each run."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(count)]}
    workers = []
    try:
        for index in range(count):
            config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            environment = {**os.environ, "TF_CONFIG": config, "CUDA_VISIBLE_DEVICES": ""}
            workers.append(
                subprocess.Popen(
                    [sys.executable, os.path.abspath(__file__), "--worker", root],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        outputs = [worker.communicate(timeout=120) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    for worker, (_, errors) in zip(workers, outputs, strict=True):
        if worker.returncode:
            sys.exit(f"A worker ended with code {worker.returncode}:\n{errors}")
    return [json.loads(line) for output, _ in outputs for line in output.splitlines() if line.startswith("{")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", metavar="LOGS", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=2, help="how many there are")
    arguments = parser.parse_args()
    if arguments.worker:
        train(arguments.worker)
        return
    with tempfile.TemporaryDirectory() as root:
        lines = start(root, arguments.workers)
        for title, run in RUNS.items():
            of_run = [line for line in lines if line["run"] == run]
            accepted = sum(line["accepted"] for line in of_run)
            found = of_run[0]["points"]
            left = sum(count for _, count in found.values())
            print(f"\n{title}: {accepted} events accepted, {left} on disk")
            for name, (steps, count) in found.items():
                zigzag = "" if steps == count else f" (curves of one name: each step {count / steps:g} times)"
                print(f"  TensorBoard's run {os.path.normpath(os.path.join(run, name))!r}: {count} points{zigzag}")
            for line in of_run:
                for message in line["reported"]:
                    print(f"  worker {line['worker']} was warned: {message.splitlines()[0]}")
            if not any(line["reported"] for line in of_run):
                print("  nobody was warned")


if __name__ == "__main__":
    main()

"""What one `add_summary` costs: ours beside the stock writer, pair by pair in one run.

    python benchmarks/writer.py [--quick]

Each pair is a block of adds by the stock writer and one by ours, in turns, so that a busy machine troubles both alike;
the ratio is the median over the pairs. CPU time is the process's: the stock writer's thread counts. Measured twice: add
after add in a tight loop, which is kind to the stock writer, for its thread wakes up once for many events; and with
0.2 ms between the adds, as after a training step, with the cost of an empty loop taken off. tensorboardX (where
it is installed) and `tf.summary` write the same payloads for comparison; the physical limit is the same bytes by bare
`os.write`.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
import tracemalloc

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf
from rich.console import Console
from rich.table import Table

from safewriter import SafeFileWriter
from safewriter.eventfile.record import record_of

STEPS = iter(range(1, 1 << 62))  # rising, whoever asks
LIMITS = {  # CPU and wall, as a ratio to the stock writer
    "one scalar": (0.65, 1.0),
    "ten scalars": (0.85, 1.0),
    "histogram of 10,000 values": (0.65, 1.0),
    "image of 128x128": (0.85, 1.1),
}
PAUSE = 0.0002  # seconds
MOST_MS_PER_WRITER = 1.0  # above stock, for construction and close, fsync apart
MOST_BYTES_PER_TAG = 500


def payloads():
    """Serialized summaries, as ``sess.run`` of a merge gives them."""
    random = np.random.default_rng(0)
    with tf.Graph().as_default(), tf.Session() as session:
        ops = {
            "one scalar": [tf.summary.scalar("loss", 0.5)],
            "ten scalars": [tf.summary.scalar(f"metrics/number_{n}", 0.5 + n) for n in range(10)],
            "histogram of 10,000 values": [
                tf.summary.histogram("weights", random.normal(size=10_000).astype(np.float32))
            ],
            "image of 128x128": [tf.summary.image("input", random.random((1, 128, 128, 3)).astype(np.float32))],
        }
        return {name: session.run(tf.summary.merge(each)) for name, each in ops.items()}


def cost(add, count, finish, pause=0.0):
    """CPU and wall seconds of each of ``count`` adds; what they left to be done is CPU time too."""
    gc.disable()
    try:
        cpu, wall = time.process_time(), time.perf_counter()
        if pause:
            for _ in range(count):
                add()
                time.sleep(pause)
        else:
            for _ in range(count):
                add()
        wall = time.perf_counter() - wall
        finish()
        cpu = time.process_time() - cpu
    finally:
        gc.enable()
    return cpu / count, wall / count


def adder(writer, payload):
    return lambda: writer.add_summary(payload, next(STEPS))


def without(empty, costs):
    """Costs with those of an empty loop taken off."""
    return tuple(each - none for each, none in zip(costs, empty, strict=True))


def pairs(directory, payload, count, rounds, pause=0.0):
    """The costs of stock and ours: ``[((cpu, wall), (cpu, wall)), …]``."""
    stock = tf.summary.FileWriter(os.path.join(directory, "stock"))
    with SafeFileWriter(os.path.join(directory, "ours")) as ours:
        writers = [(stock, adder(stock, payload)), (ours, adder(ours, payload))]
        for writer, add in writers:  # warm up
            cost(add, count, writer.flush)
        found = []
        for turn in range(rounds):
            empty = cost(lambda: None, count, lambda: None, pause) if pause else (0.0, 0.0)
            costs = {}
            for writer, add in writers[:: 1 if turn % 2 else -1]:
                costs[writer] = without(empty, cost(add, count, writer.flush, pause))
            found.append((costs[stock], costs[ours]))
    stock.close()
    return found


def others(directory, name, payload, count):
    """CPU of tensorboardX and of ``tf.summary`` for the same payload, and of the bare write of its bytes."""
    found = {}
    path = os.path.join(directory, "bare")
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    summary = tf.Summary.FromString(payload)
    record = record_of(tf.Event(step=1, wall_time=1.0, summary=summary).SerializeToString())
    found["os.write"] = cost(lambda: os.write(fd, record), count, lambda: None)
    os.close(fd)
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    image = np.zeros((128, 128, 3), np.float32)
    try:
        from tensorboardX import SummaryWriter

        with SummaryWriter(os.path.join(directory, "tensorboardX")) as writer:
            calls = {
                "one scalar": lambda: writer.add_scalar("loss", 0.5, next(STEPS)),
                "ten scalars": lambda: [writer.add_scalar(f"n{n}", 0.5, next(STEPS)) for n in range(10)],
                "histogram of 10,000 values": lambda: writer.add_histogram("weights", values, next(STEPS)),
                "image of 128x128": lambda: writer.add_image("input", image, next(STEPS), dataformats="HWC"),
            }
            found["tensorboardX"] = cost(calls[name], max(count // 10, 20), writer.flush)
    except ImportError:  # it is not installed, or Pillow is not, which it takes for images
        found["tensorboardX"] = None
    with tf2.summary.create_file_writer(os.path.join(directory, "v2")).as_default() as writer:
        calls = {
            "one scalar": lambda: tf2.summary.scalar("loss", 0.5, next(STEPS)),
            "ten scalars": lambda: [tf2.summary.scalar(f"n{n}", 0.5, next(STEPS)) for n in range(10)],
            "histogram of 10,000 values": lambda: tf2.summary.histogram("weights", values, next(STEPS)),
            "image of 128x128": lambda: tf2.summary.image("input", image[None], next(STEPS)),
        }
        cost(calls[name], 5, writer.flush)
        found["tf.summary"] = cost(calls[name], max(count // 10, 20), writer.flush)
    return found


def lifetimes(directory, count):
    """Wall milliseconds of construction and close, stock and ours, medians over pairs; fsync is taken out of ours."""
    synced = []
    fsync = os.fsync

    def timed(fd):
        started = time.perf_counter()
        fsync(fd)
        synced.append(time.perf_counter() - started)

    found = {"stock": [], "ours": []}
    os.fsync = timed
    try:
        for turn in range(count):
            for name, kind in (("stock", tf.summary.FileWriter), ("ours", SafeFileWriter)):
                logs = os.path.join(directory, f"{name}-{turn}")
                os.mkdir(logs)
                synced.clear()
                started = time.perf_counter()
                kind(logs).close()
                found[name].append((time.perf_counter() - started - sum(synced)) * 1000)
    finally:
        os.fsync = fsync
    return {name: statistics.median(times) for name, times in found.items()}


def memory(directory, tags=100_000):
    """Bytes that each tag takes, and that each further step of all tags takes, in objects of Python."""

    def summary(value, names):
        return tf.Summary(value=[tf.Summary.Value(tag=name, simple_value=value) for name in names]).SerializeToString()

    names = [f"model/layer_{number:06d}/weights" for number in range(tags)]
    with SafeFileWriter(os.path.join(directory, "memory")) as writer:
        writer.add_summary(summary(1.0, ["first"]), 1000)
        first, later = summary(1.0, names), summary(2.0, names)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        writer.add_summary(first, 1001)
        per_tag = (tracemalloc.get_traced_memory()[0] - before) / tags
        writer.add_summary(later, 1002)
        before = tracemalloc.get_traced_memory()[0]
        for step in range(1003, 1008):
            writer.add_summary(later, step)
        per_step = (tracemalloc.get_traced_memory()[0] - before) / 5
        tracemalloc.stop()
    return per_tag, per_step


def measure(directory, quick, pause):
    rows = {}
    for name, payload in payloads().items():
        count = 300 if pause else {"image of 128x128": 300}.get(name, 2000)
        found = pairs(os.path.join(directory, name), payload, count // (4 if quick else 1), 7 if quick else 21, pause)
        rows[name] = {
            "bytes": len(payload),
            "stock": tuple(statistics.median(stock[n] for stock, _ in found) for n in (0, 1)),
            "ours": tuple(statistics.median(ours[n] for _, ours in found) for n in (0, 1)),
            "ratio": tuple(statistics.median(ours[n] / stock[n] for stock, ours in found) for n in (0, 1)),
        }
    return rows


def show(console, rows, title):
    columns = ["payload", "stock", "safewriter", "CPU ratio", "wall ratio"]
    beside = list(next(iter(rows.values())).get("others", ()))
    table = Table(title=f"add_summary, {title}: µs a call, CPU (wall)")
    for column in columns + beside:
        table.add_column(column, justify="left" if column == "payload" else "right")
    for name, row in rows.items():
        ratios = []
        for ratio, limit in zip(row["ratio"], LIMITS[name], strict=True):
            ratios.append(f"[{'green' if ratio <= limit else 'red'}]{ratio:.2f}[/] ≤ {limit}")
        cells = [*map(in_words, (row["stock"], row["ours"])), *ratios]
        cells += [in_words(row["others"][other]) for other in beside]
        table.add_row(f"{name}, {row['bytes']:,} bytes", *cells)
    console.print(table)


def in_words(costs):
    return "-" if costs is None else f"{costs[0] * 1e6:.1f} ({costs[1] * 1e6:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter pairs")
    arguments = parser.parse_args()
    os.environ["SAFEWRITER_IGNORE"] = "SW106"
    directory = tempfile.mkdtemp(prefix="safewriter-benchmark-")
    console = Console(width=max(Console().width, 150))
    try:
        console.print(f"TensorFlow {tf.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs")
        with tf.Graph().as_default():
            tight = measure(os.path.join(directory, "tight"), arguments.quick, 0.0)
            rows = measure(os.path.join(directory, "spaced"), arguments.quick, PAUSE)
        for name, payload in payloads().items():  # out of the graph: ``tf.summary`` needs eager execution
            tight[name]["others"] = others(os.path.join(directory, "tight", name), name, payload, 400)
        show(console, tight, "add after add")
        show(console, rows, f"{PAUSE * 1000:g} ms between adds")
        with tf.Graph().as_default():
            times = lifetimes(directory, 20 if arguments.quick else 60)
            more = times["ours"] - times["stock"]
            console.print(
                f"construction and close, ms: stock {times['stock']:.2f}, safewriter {times['ours']:.2f}: "
                f"{more:+.2f} ≤ {MOST_MS_PER_WRITER} (fsync apart)"
            )
            per_tag, per_step = memory(directory)
            console.print(
                f"memory: {per_tag:.0f} ≤ {MOST_BYTES_PER_TAG} bytes a tag; {per_step:,.0f} bytes a step of all tags"
            )
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()

"""What TF2's writer costs beside TensorFlow's own: CPU time of the process, as the ratio of pairs in one run.

    python benchmarks/writer_v2.py [ROUNDS]

Three shapes of a program: one scalar a call in eager mode, one in a ``tf.function`` that is called once a step, and a
hundred in a function. Each round runs stock, stock with ``max_queue=0``, ours, and ours under ``install()``; the
median of the rounds' ratios is shown, without closing the writer, which judges what was not judged meanwhile. Below
stands what the unbuffered writer asks of the operating system, which is one ``write`` an event, and what 100,000 more
steps add to the memory, after as many to warm up.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
import tracemalloc

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import safewriter

SHAPES = {"eager scalar": (6000, 1), "in a function": (3000, 1), "100 in a function": (2000, 100)}


def loop(writer, shape, calls, each):
    """Runs one shape of a program; gives its CPU seconds."""

    @tf.function
    def step_function(x, step):
        for n in range(each):
            tf.summary.scalar(f"loss{n}", x, step=step)

    call = step_function
    if shape == "eager scalar":

        def call(x, step):
            tf.summary.scalar("loss", x, step=step)

    x = tf.constant(0.5)
    steps = [tf.constant(n, tf.int64) for n in range(calls + 1)]
    with writer.as_default():
        call(x, steps[0])
        begin = time.process_time()
        for step in steps[1:]:
            call(x, step)
    writer.flush()
    return time.process_time() - begin


def measure(way, shape):
    """CPU seconds of one way and shape, its writer created and closed outside of the measure."""
    calls, each = SHAPES[shape]
    with tempfile.TemporaryDirectory() as logs:
        if way == "installed":
            safewriter.install()
        try:
            create = safewriter.create_file_writer if way == "ours" else tf.summary.create_file_writer
            writer = create(logs, max_queue=0 if way == "unbuffered" else None)
            seconds = loop(writer, shape, calls, each)
            writer.close()
        finally:
            safewriter.uninstall()
    return seconds


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'shape':20} {'stock, µs':>10} {'max_queue=0':>11} {'ours':>6} {'with install()':>15}")
    for shape, (calls, each) in SHAPES.items():
        ratios = {"unbuffered": [], "ours": [], "installed": []}
        stocks = []
        for way in ("stock", *ratios):
            measure(way, shape)  # first calls import and compile
        for _ in range(rounds):
            stock = measure("stock", shape)
            stocks.append(stock)
            for way, found in ratios.items():
                found.append(measure(way, shape) / stock)
        microseconds = statistics.median(stocks) / calls / each * 1e6
        unbuffered, ours, installed = (statistics.median(found) for found in ratios.values())
        print(f"{shape:20} {microseconds:10.1f} {unbuffered:11.2f} {ours:6.2f} {installed:15.2f}")
    print(f"one write(2) of {len(RECORD)} bytes: {bare_write():.2f} µs; the unbuffered writer makes one an event")
    traced, resident = growth()
    print(f"memory of 100,000 further steps: Python {traced:+,d} bytes, resident {resident:+,d} kB")


RECORD = bytes(60)  # a scalar's event, framed


def bare_write(calls=100_000):
    """Microseconds of CPU time that a ``write`` takes by itself."""
    with tempfile.NamedTemporaryFile() as file:
        fd, begin = file.fileno(), time.process_time()
        for _ in range(calls):
            os.write(fd, RECORD)
        return (time.process_time() - begin) / calls * 1e6


def resident():
    """Kilobytes of this process in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except OSError:
        return 0


def growth(steps=100_000):
    """What Python holds more after so many steps of one tag, in bytes, and the process, in kilobytes."""
    with tempfile.TemporaryDirectory() as logs:
        writer = safewriter.create_file_writer(logs)

        @tf.function
        def write(first):
            for n in tf.range(1000, dtype=tf.int64):
                tf.summary.scalar("loss", 0.5, step=first + n)

        def run(first):
            for at in range(first, first + steps, 1000):
                write(tf.constant(at, tf.int64))
            writer.report()
            gc.collect()

        with writer.as_default():
            run(0)
            before = resident()
            run(steps)
            more = resident() - before
            tracemalloc.start()
            run(2 * steps)
            before = tracemalloc.get_traced_memory()[0]
            run(3 * steps)
            after = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        writer.close()
    return after - before, more


if __name__ == "__main__":
    main()

"""Signal handlers at random moments over one backend: does anything hang, and does every event land once?

    python benchmarks/handlers.py --backend queued --seconds 600

A timer of a random interval below 3 ms interrupts a loop of adds and flushes; the handler adds, flushes, closes, or
asks for a report, drawn at random. A closed writer is reopened by the loop; in the place of TF2's, which can't be, a
new one is created. At the end each accepted event is looked
for with TensorFlow's reader. A hang is seen by a watchdog, which prints where each thread stands and exits with 3.
"""

import argparse
import collections
import contextlib
import faulthandler
import glob
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf2
import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter, create_file_writer

HANG = 60  # seconds without an add


def numbers(logdir):
    """How often each number is in the event files."""
    files = tf.io.gfile.glob(logdir + "/*") if "://" in logdir else glob.glob(logdir + "/*tfevents*")
    return collections.Counter(
        event.step for file in files for event in tf.train.summary_iterator(file) if event.HasField("summary")
    )


def round_of(backend, seconds, seed):
    """One writer's life; returns how many adds were accepted, events found, reported lost, and handlers run."""
    draw = random.Random(seed)
    base = tempfile.mkdtemp()
    logdir = f"ram://handlers-{seed}" if backend == "remote" else os.path.join(base, "logs")
    if backend == "eager":
        return round_of_tf2(logdir, seconds, draw, base)
    counter, handled = iter(range(1, 1 << 40)), collections.Counter()
    with tf.Graph().as_default() as graph, contextlib.ExitStack() as stack:
        session = stack.enter_context(tf.Session(graph=graph)) if backend == "session" else None
        writer = SafeFileWriter(logdir, session=session, ignore="SW2,SW4,SW5")
        if backend == "queued":
            writer.event_writer._storage_is_slow()

        def add():
            step = next(counter)
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), step)

        def handler(*_):
            action = draw.choice(["add", "add", "flush", "report", "close"])
            handled[action] += 1
            add() if action == "add" else getattr(writer, action)()
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.0002, 0.003))

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            faulthandler.dump_traceback_later(HANG, exit=True)
            if writer._closed:
                writer.reopen()
            for _ in range(draw.randrange(20)):
                add()
            if draw.random() < 0.5:
                writer.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        writer.close()
        report, found = writer.report(), numbers(logdir)
    shutil.rmtree(base)
    twice = [step for step, times in found.items() if times > 1]
    return report, found, twice, handled


def round_of_tf2(logdir, seconds, draw, base):
    """The same with TF2's writers, of which there are as many as are closed."""
    counter, handled, writers = iter(range(1, 1 << 40)), collections.Counter(), []

    def begin():
        writers.append(create_file_writer(logdir, ignore="SW2,SW3,SW4,SW5"))

    def add():
        step = next(counter)
        with contextlib.suppress(RuntimeError, tf.errors.NotFoundError), writers[-1].as_default():  # closed meanwhile
            tf2.summary.write("a", 1.0, step=step)

    def handler(*_):
        action = draw.choice(["add"] * 30 + ["flush"] * 15 + ["report"] * 15 + ["close"])
        handled[action] += 1
        add() if action == "add" else getattr(writers[-1], action)()
        signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.0002, 0.003))

    begin()
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        faulthandler.dump_traceback_later(HANG, exit=True)
        if writers[-1]._closed:
            begin()
        for _ in range(draw.randrange(20)):
            add()
        if draw.random() < 0.5:
            writers[-1].flush()
    signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()
    writers[-1].close()
    reports, found = [writer.report() for writer in writers], numbers(logdir)
    shutil.rmtree(base)
    events, landed, lost = (sum(getattr(each, name) for each in reports) for name in ("events", "landed", "lost"))
    total = replace(reports[-1], events=events, landed=landed, lost=lost)
    return total, found, [step for step, times in found.items() if times > 1], handled


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["direct", "queued", "remote", "session", "eager"], default="queued")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="Attempting to use a closed")
    totals, seed, began = collections.Counter(), 0, time.monotonic()
    while time.monotonic() - began < arguments.seconds:
        report, found, twice, handled = round_of(arguments.backend, min(5, arguments.seconds), seed)
        seed += 1
        totals.update(handled)
        totals.update(accepted=report.events, landed=report.landed, lost=report.lost, found=len(found))
        if twice or report.events != report.landed + report.lost or report.landed != len(found):
            print(f"round {seed}: {report.events=} {report.landed=} {report.lost=} {len(found)=} {twice=}")
            return 1
    print(f"{arguments.backend}: {seed} rounds in {time.monotonic() - began:.0f} s, {dict(totals)}; no hang")
    return 0


if __name__ == "__main__":
    sys.exit(main())

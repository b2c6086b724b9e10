"""Minutes of random faults against several writers in several processes, with a tally at the end.

    python benchmarks/soak.py --minutes 5 [--processes 3] [--seed 1]

Each process has writers on one log directory, some of them on slow storage, that add, flush, close and reopen from
several threads, fork and are killed, while their files are removed, truncated, renamed and replaced, their directory
vanishes, and their disk fills and is freed. At the end TensorFlow's reader counts what landed. It must hold, for every
writer: accepted = landed + reported lost, where a process ended in its own way; and of one that was killed, that no
more is missing than its report had called pending.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter
from safewriter.findings import CAPTURES

FAULTS = (
    "remove", "truncate", "rename", "replace", "remove_directory", "limit", "slow", "fork", "reopen", "flush", "nothing"
)  # fmt: skip

WHOLE = ("remove_directory", "fork", "reopen")  # these take time, and what is added meanwhile is anybody's guess


def reported_lost(findings):
    return sum(finding.data["lost"] for finding in findings if finding.code in ("SW502", "SW503"))


def summary(number):
    return tf.Summary(value=[tf.Summary.Value(tag="number", simple_value=number)])


class Life:
    """One writer from its creation to its end, with its threads and its faults."""

    def __init__(self, directory, seed, seconds):
        self.random = random.Random(seed)
        self.logdir = directory
        self.seconds = seconds
        self.accepted = []
        self.refused = 0
        self.of_children = 0
        self.number = 0
        self.lock = threading.Lock()
        self.gate = threading.RLock()  # held by each add, and by the faults that adds must not race with

    def run(self):
        """Gives the account of this life as JSON-able values."""
        write = os.write
        slow = [0.0]

        def slow_write(*arguments):
            if slow[0]:
                time.sleep(slow[0])
            return write(*arguments)

        os.write = slow_write
        with CAPTURES.capture() as findings, tf.Graph().as_default():
            self.writer = SafeFileWriter(self.logdir, flush_secs=1)
            self.busy = True
            threads = [threading.Thread(target=self.add_on) for _ in range(3)]
            for thread in threads:
                thread.start()
            ends = time.monotonic() + self.seconds
            while time.monotonic() < ends:
                time.sleep(self.random.random() * 0.2)
                fault = self.random.choice(FAULTS)
                with self.gate if fault in WHOLE else contextlib.nullcontext():
                    self.suffer(fault, slow)
            self.busy = False
            for thread in threads:
                thread.join()
            slow[0] = 0.0
            self.writer.close()
            report = self.writer.report()
            found = self.read(self.logdir)
        mine = [number for number in found if number < 10**6]
        return {
            "accepted": len(self.accepted),
            "landed": len(mine),
            "reported": reported_lost(findings),
            "refused": self.refused,
            "children": self.of_children,
            "twice": sum(count > 1 for count in found.values()),
            "unknown": len(set(mine) - set(self.accepted)),
            "torn": self.torn,
            "report": (report.events, report.landed, report.lost),
            "codes": dict(collections.Counter(finding.code for finding in findings)),
        }

    def add_on(self):
        while self.busy:
            with self.gate:
                with self.lock:
                    self.number += 1
                    number = self.number
                try:
                    self.writer.add_summary(summary(number), number)
                    self.accepted.append(number)
                except OSError:
                    self.refused += 1
            time.sleep(0.0005)

    def read(self, directory):
        found = collections.Counter()
        self.torn = 0
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            path = os.path.join(directory, name)
            if "tfevents" in name:
                try:
                    for event in tf.train.summary_iterator(path):
                        found.update(int(value.simple_value) for value in event.summary.value)
                except tf.errors.DataLossError:
                    self.torn += not path.endswith(".foreign")
        return found

    def suffer(self, fault, slow):
        path = self.writer.event_writer.backend.path
        there = os.path.exists(path)
        with contextlib.suppress(OSError):
            if fault == "flush":
                self.writer.flush()
            elif fault == "reopen":
                self.writer.close()
                self.writer.reopen()
            elif fault == "slow":
                slow[0] = 0.0 if slow[0] else 0.003
            elif fault == "fork":
                self.fork()
            elif fault == "limit":
                self.limited(path)
            elif fault == "remove_directory":
                self.writer.flush()
                shutil.rmtree(self.logdir)
                self.of_children = 0
                self.writer.flush()
            elif there:
                self.damage(fault, path)
                self.writer.flush()

    def damage(self, fault, path):
        if fault == "remove":
            os.unlink(path)
        elif fault == "truncate":
            os.truncate(path, int(os.path.getsize(path) * self.random.random()))
        elif fault == "rename":
            os.rename(path, path + ".old")
        elif fault == "replace":
            shutil.copy(path, path + ".new")
            os.rename(path + ".new", path)

    def limited(self, path):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = os.path.getsize(path) if os.path.exists(path) else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + self.random.randrange(200), before[1]))
        try:
            for _ in range(20):
                with self.lock:
                    self.number += 1
                    number = self.number
                try:
                    self.writer.add_summary(summary(number), number)
                    self.accepted.append(number)
                except OSError:
                    self.refused += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def fork(self):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                for number in range(10):
                    self.writer.add_summary(summary(10**6 + os.getpid() * 10 + number), number)
                self.writer.close()
            os._exit(0)
        os.waitpid(child, 0)
        self.of_children += 10


def killed_life(directory, seed, seconds):
    """A child that adds until it is killed; gives how many of those that it had noted are missing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with tf.Graph().as_default():
            writer = SafeFileWriter(directory)
            for number in range(1, 10**6):
                writer.add_summary(summary(number), number)
                os.write(writing, b"%d\n" % number)
        os._exit(0)
    os.close(writing)
    time.sleep(random.Random(seed).random() * seconds)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        noted = {int(line) for line in pipe.read().splitlines()}
    os.waitpid(child, 0)
    life = Life(directory, seed, 0)
    found = life.read(directory)
    return {"killed": len(noted), "missing": len(noted - set(found)), "torn": life.torn}


def process(base, seed, until, out):
    results = []
    chance = random.Random(seed)
    turn = 0
    while time.monotonic() < until:
        turn += 1
        directory = os.path.join(base, f"{seed}-{turn}")
        if chance.random() < 0.3:
            results.append(killed_life(directory, chance.random(), 0.3))
        else:
            results.append(Life(directory, chance.random(), min(3.0, max(until - time.monotonic(), 0.5))).run())
        shutil.rmtree(directory, ignore_errors=True)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(results, file)


def tally(results):
    total = collections.Counter()
    codes = collections.Counter()
    bad = []
    for result in results:
        codes.update(result.get("codes", {}))
        total.update({name: number for name, number in result.items() if isinstance(number, int)})
        if "killed" in result:
            right = not result["missing"] and not result["torn"]
        else:
            events, landed, lost = result["report"]
            right = (
                result["accepted"] == result["landed"] + result["reported"]
                and events == result["accepted"]
                and events == landed + lost
                and not (result["twice"] or result["unknown"] or result["torn"])
            )
        if not right:
            bad.append(result)
    return total, codes, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads: they are what is tested
    base = tempfile.mkdtemp(prefix="safewriter-soak-")
    until = time.monotonic() + 60 * arguments.minutes
    children = []
    for number in range(arguments.processes):
        child = os.fork()
        if child == 0:
            process(base, arguments.seed + number, until, os.path.join(base, f"{number}.json"))
            os._exit(0)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    results = []
    for number in range(arguments.processes):
        with contextlib.suppress(OSError), open(os.path.join(base, f"{number}.json"), encoding="utf-8") as file:
            results += json.load(file)
    shutil.rmtree(base, ignore_errors=True)
    total, codes, bad = tally(results)
    print(f"seed {arguments.seed}: {len(results)} lives in {arguments.processes} processes")
    print(f"reported: {dict(sorted(codes.items()))}")
    print(
        f"accepted {total['accepted']:,} = landed {total['landed']:,} + reported lost {total['reported']:,}; "
        f"refused {total['refused']:,}; of {total['killed']:,} adds before a SIGKILL {total['missing']:,} are missing"
    )
    for result in bad:
        print("WRONG:", result)
    sys.exit(bool(bad or failed))


if __name__ == "__main__":
    main()

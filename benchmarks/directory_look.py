"""What it costs to look at a log directory, and to construct a writer before a large earlier file.

    python benchmarks/directory_look.py

prints, for 10, 1,000 and 10,000 event files, the time of the first look (SW203), of later looks and of listing an
earlier run (SW107): the median, and the slowest of 95 in 100. Then the same for one file of 1 GB: listing it, and the
first question for a tag. Needs no TensorFlow.
"""

import os
import statistics
import tempfile
import time

from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of
from safewriter.system.earlier import EarlierRun
from safewriter.system.neighbours import Neighbours

ROUNDS = 200


def milliseconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - start) * 1e3


def spread(times):
    return f"{statistics.median(times):7.2f} ms {statistics.quantiles(times, n=20)[-1]:7.2f} ms"


def many_files(count):
    with tempfile.TemporaryDirectory() as directory:
        for number in range(count):
            name = f"events.out.tfevents.{1700000000 + number}.node{number % 16}.{1000 + number}.0"
            with open(os.path.join(directory, name), "wb") as file:
                file.write(b"x" * 100)
        rounds = max(10, ROUNDS * 10 // max(10, count // 10))
        firsts = [milliseconds(Neighbours(directory).look, []) for _ in range(rounds)]
        looks = Neighbours(directory)
        looks.look([])
        later = [milliseconds(looks.look, []) for _ in range(rounds)]
        earlier = [milliseconds(EarlierRun, directory) for _ in range(rounds)]
        print(f"{count:6,} files   {spread(firsts)}   {spread(later)}   {spread(earlier)}")


def large_file(size):
    with tempfile.TemporaryDirectory() as directory:
        events = b"".join(record_of(scalar(step).SerializeToString()) for step in range(20_000))
        with open(os.path.join(directory, "events.out.tfevents.1700000000.node1.1.0"), "wb") as file:
            while file.tell() < size:
                file.write(events)
        construct = [milliseconds(EarlierRun, directory) for _ in range(20)]
        ask = [milliseconds(EarlierRun(directory).last_step, "loss") for _ in range(20)]
        run = EarlierRun(directory)
        questions = []
        while not run.finished:
            questions.append(milliseconds(run.last_step, "a tag that isn't there"))
        print(f"1 GB: construction {spread(construct)}; first question for a tag that is there {spread(ask)}")
        print(
            f"      for one that isn't: {len(questions)} questions, each {spread(questions)}, then nothing more is read"
        )


def scalar(step):
    event = Event(wall_time=1.0, step=step)
    event.summary.value.add(tag="loss", simple_value=1.0)
    return event


def main():
    print("                 first look              later looks             an earlier run, listed")
    print("                  median      95 %        median      95 %        median      95 %")
    for count in (10, 1_000, 10_000):
        many_files(count)
    large_file(1 << 30)


if __name__ == "__main__":
    main()

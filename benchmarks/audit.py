"""What an audit costs: whole processes, on data of its own in a temporary directory.

Run: python benchmarks/audit.py [--quick] [--repeat N] [--only NAME]

- inspect: 600,000 scalar events in one file (31 MB): `safewriter audit` beside `tensorboard --inspect`.
- start: an empty directory.
- memory: peak memory for a file of 1 GB, of scalars and of histograms and images.
- runs: 1,000 runs of 1 MB, with one process and with two.
- many: 100,000 runs of one small file each.
- judge: the judge of values by itself, as `add_summary` calls it, in microseconds a call.

Times are the best of the repeats, with all of them beside it: the machine may be busy with other things.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

AUDIT = [sys.executable, "-m", "safewriter", "audit"]
ENV = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
NAME = "events.out.tfevents.1700000000.host"


def record(event):
    return record_of(event.SerializeToString())


def version():
    return record(Event(wall_time=1.7e9, file_version="brain.Event:2"))


def scalars(count, tags=("loss", "accuracy", "learning_rate", "gradient_norm")):
    for number in range(count):
        event = Event(wall_time=1.7e9 + number / 100, step=number // len(tags))
        event.summary.value.add(tag=f"train/{tags[number % len(tags)]}", simple_value=1 / (number + 1))
        yield record(event)


def write(path, pieces):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(version())
        for piece in pieces:
            file.write(piece)
    os.utime(path, (0, 0))
    return os.path.getsize(path)


def timed(command, codes=(0,)):
    began = time.perf_counter()
    done = subprocess.run(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode in codes, (command, done.returncode)
    return time.perf_counter() - began


def best(command, repeat, codes=(0,)):
    times = [timed(command, codes) for _ in range(repeat)]
    return min(times), ", ".join(f"{seconds:.2f}" for seconds in times)


def peak_megabytes(command, codes=(0,)):
    """The most memory that a process of its own took."""
    program = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], env=ENV, capture_output=True, text=True, check=True
    )
    code, peak = map(int, done.stdout.split())
    assert code in codes, code
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def bench_inspect(directory, options):
    count = 60_000 if options.quick else 600_000
    size = write(os.path.join(directory, NAME), scalars(count))
    ours, times = best([*AUDIT, directory], options.repeat)
    print(f"inspect: {count:,} scalar events, {size / 1e6:.0f} MB")
    print(f"  safewriter audit       {ours:6.2f} s  ({times})  {count / ours / 1e6:.2f} million events a second")
    tensorboard = os.path.join(os.path.dirname(sys.executable), "tensorboard")
    program = [tensorboard] if os.path.exists(tensorboard) else [sys.executable, "-m", "tensorboard.main"]
    theirs, times = best([*program, "--inspect", "--logdir", directory], options.repeat)
    print(f"  tensorboard --inspect  {theirs:6.2f} s  ({times})")
    print(f"  {theirs / ours:.1f} times as fast")


def bench_start(directory, options):
    seconds, times = best([*AUDIT, directory], max(options.repeat, 5), codes=(1,))
    print(f"start: an empty directory: {seconds:.3f} s  ({times})")


def bench_memory(directory, options):
    target = (50 if options.quick else 1000) * 1_000_000
    image = Event(step=1)
    image.summary.value.add(tag="digit").image = bytes(50_000)
    histogram = Event(step=1)
    histo = histogram.summary.value.add(tag="weights").histo
    histo.bucket_limit.extend(range(400))
    histo.bucket.extend(range(400))
    some = [b"".join(scalars(20_000)), record(image) * 20 + record(histogram) * 150]
    for name, block in zip(("scalars", "images and histograms"), some, strict=True):
        path = os.path.join(directory, name, NAME)
        size = write(path, (block for _ in range(target // len(block))))
        began = time.perf_counter()
        peak = peak_megabytes([*AUDIT, path], codes=(0, 1))
        print(f"memory: {size / 1e6:.0f} MB of {name}: peak {peak:.0f} MB, {time.perf_counter() - began:.1f} s")
        os.unlink(path)


def bench_runs(directory, options):
    runs = 50 if options.quick else 1000
    content = version() + b"".join(scalars(19_000))
    for number in range(runs):
        path = os.path.join(directory, f"run{number:04}", NAME)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(content)
    for jobs in ("1", "2"):
        seconds, times = best([*AUDIT, "--jobs", jobs, directory], 1 if options.quick else min(options.repeat, 2))
        print(f"runs: {runs:,} of {len(content) / 1e6:.1f} MB, --jobs {jobs}: {seconds:.1f} s  ({times})")


def bench_many(directory, options):
    runs = 2000 if options.quick else 100_000
    first = os.path.join(directory, "0", "0", NAME)
    write(first, scalars(12))
    for number in range(1, runs):
        run = os.path.join(directory, str(number // 1000), str(number))
        os.makedirs(run)
        shutil.copy(first, run)
    seconds, times = best([*AUDIT, directory], 1)
    print(f"many: {runs:,} runs: {seconds:.1f} s, {seconds / runs * 1e3:.2f} ms each; ({times})")
    print(f"  peak {peak_megabytes([*AUDIT, directory]):.0f} MB")


def bench_rounds(directory, options):
    from safewriter import Audit

    runs = 100 if options.quick else 1000
    content = version() + b"".join(scalars(500))
    for number in range(runs):
        path = os.path.join(directory, f"run{number:04}", NAME)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(content)
    audit = Audit(directory)

    def milliseconds(count):
        times = []
        for _ in range(count):
            began = time.perf_counter()
            len(audit.update().findings)
            times.append((time.perf_counter() - began) * 1e3)
        return min(times)

    print(f"rounds: {runs:,} runs: the first {milliseconds(1):.0f} ms")
    time.sleep(2.5)  # what was just written is looked at once more
    audit.update()
    print(f"  nothing changed {milliseconds(10):.1f} ms")
    with open(path, "ab") as file:
        file.write(next(scalars(1)))
    print(f"  one file grew {milliseconds(1):.1f} ms")


def bench_judge(_, options):
    from safewriter.checks.values import ValuesJudge

    def message(count, **value):
        event = Event()
        for number in range(count):
            event.summary.value.add(tag=f"tag{number}", **value)
        return event.summary

    def microseconds(summary):
        times = []
        for _ in range(10 * options.repeat):
            judge = ValuesJudge()
            observe = judge.observe
            began = time.process_time()
            for step in range(5000):
                observe(summary, step, step)
            times.append((time.process_time() - began) / 5000 * 1e6)
        return min(times)

    histo = {"min": -1.0, "max": 1.0, "num": 9.0, "sum": 1.0, "sum_squares": 4.0, "bucket": [1.0] * 60}
    one, ten = microseconds(message(1, simple_value=1.5)), microseconds(message(10, simple_value=1.5))
    vector = {"dtype": 1, "tensor_content": struct.pack("<1000f", *range(1000))}
    print(f"judge: one scalar {one:.2f} us, each further one {(ten - one) / 9:.2f} us")
    print(f"  a scalar of 0 {microseconds(message(1, simple_value=0.0)):.2f} us")
    print(f"  a histogram {microseconds(message(1, histo=histo)):.2f} us")
    print(f"  a tensor of 1,000 floats {microseconds(message(1, tensor=vector)):.2f} us")


BENCHES = {
    "inspect": bench_inspect,
    "start": bench_start,
    "memory": bench_memory,
    "runs": bench_runs,
    "many": bench_many,
    "rounds": bench_rounds,
    "judge": bench_judge,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, to see that it runs")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=BENCHES, action="append")
    options = parser.parse_args()
    for name in options.only or BENCHES:
        with tempfile.TemporaryDirectory() as directory:
            BENCHES[name](directory, options)


if __name__ == "__main__":
    main()

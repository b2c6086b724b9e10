"""What the tab costs TensorBoard.

    python benchmarks/tab.py [--runs 1000] [--pairs 7]
    python benchmarks/tab.py --live 3600

Its start with the tab and with ``--safewriter_tab=false``, in turn; then a log directory of runs of 1 MB: the time to
the first row and to the last, TensorBoard's own answer to ``timeseries/tags`` before and meanwhile, its memory, and
what a hidden tab costs in a minute.

With ``--live``, so many seconds of runs that are written at 1, 10 and 100 events a second, with both loaders: how often
the tab said that TensorBoard had stopped.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from tensorboard_server import scalar, serve, write


def started(logdir, *flags):
    """Seconds until TensorBoard answers."""
    begun = time.perf_counter()
    with serve(f"--logdir={logdir}", "--load_fast=false", *flags) as server:
        server.get("data/environment")
        return time.perf_counter() - begun


def memory(pid):
    """Resident megabytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu(pid):
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answered(server):
    """Milliseconds for TensorBoard's own list of tags."""
    begun = time.perf_counter()
    server.get("data/plugin/timeseries/tags")
    return 1000 * (time.perf_counter() - begun)


def live(seconds):
    """Prints how often a healthy run was marked, of all looks at it."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        rates = (1, 10, 100)
        paths = {rate: write(Path(directory, f"rate-{rate}")) for rate in rates}
        files = {rate: stack.enter_context(open(path, "ab", buffering=0)) for rate, path in paths.items()}
        loaders = ("--load_fast=false", "--load_fast=true")
        servers = {each: stack.enter_context(serve(f"--logdir={directory}", each)) for each in loaders}
        written, looks, marks, behind = dict.fromkeys(rates, 0), 0, 0, 0
        begun = look_at = time.time()
        while (now := time.time()) < begun + seconds:
            for rate, file in files.items():
                while written[rate] < (now - begun) * rate:
                    file.write(scalar(written[rate], 1.0, wall_time=time.time()))
                    written[rate] += 1
            if now >= look_at:
                look_at = now + 5
                for server in servers.values():
                    for run in server.tab("audit?since=-1")["runs"]:
                        looks += 1
                        marks += run["verdict"] == "not shown"
                        behind += (run["held_step"] or 0) < (run["disk_step"] or 0)
            time.sleep(0.005)
    print(f"{seconds:,} s of live runs at {rates} events a second, two loaders: {looks:,} looks, {behind:,} of them")
    print(f"with TensorBoard behind the disk, {marks:,} false marks; {sum(written.values()):,} events")


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--live", type=int, default=0)
    options = parser.parse_args()
    if options.live:
        live(options.live)
        return
    with tempfile.TemporaryDirectory() as directory:
        pairs = [(started(directory, "--safewriter_tab=false"), started(directory)) for _ in range(options.pairs)]
    print(f"start without the tab  {statistics.median(one for one, _ in pairs):6.2f} s")
    print(f"start with the tab     {statistics.median(two for _, two in pairs):6.2f} s")
    print(f"difference             {statistics.median(b - a for a, b in pairs):+6.2f} s (median of pairs)")
    with tempfile.TemporaryDirectory() as directory:
        content = [scalar(step, 1.0) for step in range(24_000)]
        for number in range(options.runs):
            write(Path(directory, f"run-{number:04}"), *content)
        with serve(f"--logdir={directory}", "--load_fast=true", "--reload_interval=300") as server:
            end = time.monotonic() + 600  # until TensorBoard's own reading is over
            while len(server.get("data/runs")) < options.runs and time.monotonic() < end:
                time.sleep(2)
            time.sleep(5)
            before, quiet = memory(server.process.pid), answered(server)
            begun, first, meanwhile = time.perf_counter(), None, []
            while True:
                answer = server.tab("audit?since=-1")
                if answer["runs"] and first is None:
                    first = time.perf_counter() - begun
                if answer["state"] == "done":
                    break
                meanwhile.append(answered(server))
                time.sleep(0.3)
            last = time.perf_counter() - begun
            what = f"{options.runs:,} runs of {len(content):,} scalars, 1 MB each"
            print(f"{what}: first row {first:.2f} s, last {last:.1f} s")
            print(f"timeseries/tags: {quiet:.0f} ms before, {statistics.median(meanwhile or [quiet]):.0f} ms meanwhile")
            print(f"memory of TensorBoard's process: {before:.0f} MB before, {memory(server.process.pid):.0f} MB after")
            time.sleep(5)
            computed = cpu(server.process.pid)
            time.sleep(30)
            print(f"a minute with the tab hidden: {2000 * (cpu(server.process.pid) - computed):.0f} ms of CPU")


if __name__ == "__main__":
    main()

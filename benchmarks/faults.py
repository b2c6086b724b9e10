"""What is left after each fault: the stock writer beside ours, as the table of ``docs/landing.md``.

    python benchmarks/faults.py [--api v2] [NAME ...]

Each program of ``tests/support/fault_programs.py`` is run twice in a process of its own; TensorFlow's reader counts
what is left.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "support")
sys.path.insert(0, TESTS)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from children import ForkServer  # noqa: E402 - found by the line above
from disks import FullDisk  # noqa: E402
from fault_programs import PROGRAMS, PROGRAMS_OF_TF2, Left, reported_failed, reported_lost, source  # noqa: E402


def cell(server, name, which, api):
    """One cell of the table, in words."""
    with tempfile.TemporaryDirectory() as directory:
        disk = FullDisk(os.path.join(directory, "disk")) if name.endswith("_disk") else None
        logs = "disk/logs" if disk else "logs"
        try:
            if disk:
                os.mkdir(os.path.join(disk.path, "logs"))
            try:
                outcome = server.run(source(name, api), which, logs, cwd=directory, timeout=15)
            except AssertionError:
                return "hangs"
            left = Left(directory, "seen" if name == "reader_looks" else logs)
        finally:
            if disk:
                disk.close()
        return describe(outcome, left)


def describe(outcome, left):
    words = [f"{len(left.accepted & set(left.found)):,} of {len(left.accepted):,} landed"]
    texts = [each.text for each in outcome.reported]
    reported = reported_lost(texts) or reported_failed(texts)
    if left.missing:
        words.append(f"{reported:,} reported lost" if reported else "nothing said" if not outcome.codes else "reported")
    if left.twice:
        words.append(f"{len(left.twice):,} twice")
    if left.torn:
        words.append(f"{len(left.torn)} torn")
    raised = sum(line.startswith("raised") for line in outcome.stderr.splitlines())
    if raised:
        words.append(f"{raised:,} calls raised")
    codes = sorted(set(outcome.codes) - {"SW106"})
    return ", ".join(words) + (f" ({', '.join(codes)})" if codes else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", choices=["v1", "v2"], default="v1")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    programs = PROGRAMS if arguments.api == "v1" else PROGRAMS_OF_TF2
    names = ["tf.compat.v1.summary.FileWriter", "SafeFileWriter"]
    if arguments.api == "v2":
        names = ["tf.summary.create_file_writer", "safewriter.create_file_writer"]
    print("| fault | `{}` | `{}` |\n|---|---|---|".format(*names))
    with ForkServer() as server:
        for name in arguments.names or programs:
            cells = [cell(server, name, which, arguments.api) for which in ("stock", "ours")]
            print(f"| {programs[name][0]} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()

"""What is left after each fault: the stock writer beside ours, as the table of ``docs/landing.md``.

    python benchmarks/faults.py [NAME ...]

Each program of ``tests/support/fault_programs.py`` is run twice in a process of its own; TensorFlow's reader counts
what is left.
"""

from __future__ import annotations

import os
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "support")
sys.path.insert(0, TESTS)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from children import ForkServer  # noqa: E402 - found by the line above
from disks import FullDisk  # noqa: E402
from fault_programs import PROGRAMS, Left, reported_lost, source  # noqa: E402


def cell(server, name, which):
    """One cell of the table, in words."""
    with tempfile.TemporaryDirectory() as directory:
        disk = FullDisk(os.path.join(directory, "disk")) if name.endswith("_disk") else None
        logs = "disk/logs" if disk else "logs"
        try:
            if disk:
                os.mkdir(os.path.join(disk.path, "logs"))
            try:
                outcome = server.run(source(name), which, logs, cwd=directory, timeout=15)
            except AssertionError:
                return "hangs"
            left = Left(directory, "seen" if name == "reader_looks" else logs)
        finally:
            if disk:
                disk.close()
        return describe(outcome, left)


def describe(outcome, left):
    words = [f"{len(left.accepted & set(left.found)):,} of {len(left.accepted):,} landed"]
    reported = reported_lost([each.text for each in outcome.reported])
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
    names = sys.argv[1:] or list(PROGRAMS)
    print("| fault | `tf.compat.v1.summary.FileWriter` | `SafeFileWriter` |\n|---|---|---|")
    with ForkServer() as server:
        for name in names:
            cells = [cell(server, name, which) for which in ("stock", "ours")]
            print(f"| {PROGRAMS[name][0]} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()

"""A process of ``safewriter run``: its writers are safewriter's, and what is to be said goes into a journal.

A journal is a file of JSON lines, one file for each process, in a directory that the command reads in the end. What
was written stays, however the process ends.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from safewriter.patching import imports, install_for_run

if TYPE_CHECKING:
    from safewriter.findings import Finding, Place
    from safewriter.recording.ledger import Ledger

DIRECTORY = "SAFEWRITER_RUN"  #: the environment variable that names the directory of the journals


def begin() -> None:
    """Begins the watch in this process; called before its program runs."""
    directory = os.environ.get(DIRECTORY)
    if not directory or not os.path.isdir(directory):
        return
    journal = Journal(directory)
    install_for_run()
    # In front of the finder of the installation: it comes later, when the writers have been replaced.
    sys.meta_path.insert(0, imports.AfterImport("tensorflow", journal.begin))


class Journal:
    """What the writers of this process do, and what was found.

    Args:
        directory: Where the file is created, when there is something to write.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._pid = 0
        self._file = -1
        self._writers = 0
        self._ending = False

    def begin(self) -> None:
        """TensorFlow was imported."""
        from safewriter.findings.desk import CAPTURES
        from safewriter.recording import scope

        CAPTURES.sink = self.take
        scope.observer = self
        self._write("tensorflow", version=getattr(sys.modules["tensorflow"], "__version__", ""))

    def take(self, finding: Finding, place: Place, raised: bool) -> bool:
        """Takes a finding in the place of a warning, and shows one line of it while the program runs."""
        try:
            sent = self._write("finding", place=str(place), **finding.as_dict())
            if sent and not raised and not self._ending:
                first = finding.message.split("\n", 1)[0].split(". ", 1)[0].rstrip(".")
                sys.stderr.write(f"safewriter: {place}: {finding.code} {finding.name}: {first}.\n")
        except Exception:  # noqa: BLE001 - standard error is closed, or a fault of ours: the loop goes on
            return False
        return sent

    def changed(self, ledger: Ledger) -> None:
        """See ``Observer``: notes what became of the writer so far."""
        with ledger.desk.guard("journal"):
            report = ledger.report().as_dict()
            said = report.pop("findings")
            ignored = ledger.desk.policy.ignored
            notes = [each for each in said if each["kind"] == "finding" and each["code"] not in ignored]
            self._writers += 1
            self._write("writer", key=ledger.key, open=not ledger.events.closed, notes=notes, **report)

    def ending(self) -> None:
        """See ``Observer``: the report is near, so findings are no longer shown one by one."""
        self._ending = True

    def ended(self) -> None:
        """See ``Observer``: notes that the process came to its end."""
        try:
            ops = [] if self._writers else _ops_without_writer()
        except Exception:  # noqa: BLE001 - TensorFlow's private ways; the line is left out then
            ops = []
        self._write("end", ops=ops)

    def _write(self, what: str, /, **data: Any) -> bool:
        line = json.dumps({"is": what, **data}, default=str) + "\n"
        try:
            if self._pid != os.getpid():  # the first line, or a forked child's first
                self._pid = os.getpid()
                name = os.path.join(self._directory, f"{self._pid}.jsonl")
                self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
                begun = {"is": "process", "pid": self._pid, "parent": os.getppid(), "argv": getattr(sys, "argv", [])}
                line = json.dumps(begun) + "\n" + line
            os.write(self._file, line.encode("utf-8", "backslashreplace"))
        except OSError:
            return False
        return True


def _ops_without_writer() -> list[dict[str, Any]]:
    """The summary ops of the default graph, in a program that created no writer."""
    import tensorflow as tf

    from safewriter.checks.summary_ops import GraphFacts
    from safewriter.facts.graph import graph_view

    view = graph_view(tf.compat.v1.get_default_graph())
    ops = [] if view is None else view.facts(GraphFacts(label="graph 1")).ops
    return [op.as_dict() for op in ops if op.accountable]

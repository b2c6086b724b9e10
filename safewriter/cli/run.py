"""``safewriter run``: a script as ``python`` runs it, with every summary writer in it one of safewriter's.

The script runs in a process of its own, which Python sets up as ever; only the environment makes a difference. So it
is the same program in every way, and however it ends, this process is there to report.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

import safewriter
from safewriter.cli.text import WrongUseError, codes_argument, shown
from safewriter.findings.wording import listed, plural
from safewriter.system.holders import lives

STRICT = 121  #: exit code under ``--strict`` where the script itself ended with 0 and there are findings
SCHEMA = 1  #: of the report that ``--report`` writes

_SITE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "patching", "child_site")
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_TAGS = 8  # of a writer that are named


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``safewriter run``."""
    parser.description = (
        "Runs a script, or with -m a module, as python does, and reports in the end what became of its summaries. "
        f"Exit code: the script's own; under --strict {STRICT} where that is 0 and there are findings; 2 wrong use."
    )
    parser.usage = "safewriter run [--strict] [--ignore CODES] [--report FILE.json] (SCRIPT | -m MODULE) [ARGS ...]"
    parser.add_argument("--strict", action="store_true", help=f"exit with {STRICT} where there are findings")
    parser.add_argument(
        "--ignore", type=codes_argument, action="append", metavar="CODES", help="codes, names or prefixes: SW4"
    )
    parser.add_argument("--report", metavar="FILE.json", help="write the report as JSON, too (schema: docs/run.md)")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="a module, as python -m")
    parser.add_argument("script", nargs=argparse.REMAINDER, metavar="SCRIPT", help="the script and its arguments")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs the script and reports; returns the exit code.

    Raises:
        WrongUseError: There is no script to run, or the report can't be written.
    """
    program = ["-m", *options.module] if options.module else options.script
    if not program or program == ["-m"]:
        raise WrongUseError("name a script, or a module with -m")
    target: IO[str] | None = None
    if options.report:
        try:
            target = open(options.report, "w", encoding="utf-8")  # noqa: SIM115 - closed below
        except OSError as error:
            why = error.strerror or error
            raise WrongUseError(f"the report {shown(options.report)} can't be written: {why}") from None
    journals = tempfile.mkdtemp(prefix="safewriter-run-")
    try:
        status, pid = _run(program, _environment(journals, frozenset().union(*options.ignore or ())))
        outcome = Outcome(program, status, pid, _read(journals))
    finally:
        shutil.rmtree(journals, ignore_errors=True)
    code = STRICT if status == 0 and options.strict and outcome.findings else status
    if target is not None:
        with target:
            json.dump({**outcome.as_dict(), "exit_code": code}, target, indent=2)
            target.write("\n")
    with suppress(OSError, ValueError):
        for line in outcome.lines():
            print(line, file=sys.stderr)
    if status < 0:
        _die_of(-status)
    return code


def _environment(journals: str, ignored: Iterable[str]) -> dict[str, str]:
    environment = dict(os.environ)
    environment["SAFEWRITER_RUN"] = journals
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_SITE, environment.get("PYTHONPATH"))))
    codes = ",".join(sorted(ignored))
    if codes:
        environment["SAFEWRITER_IGNORE"] = ",".join(filter(None, (environment.get("SAFEWRITER_IGNORE"), codes)))
    return environment


def _run(program: Sequence[str], environment: dict[str, str]) -> tuple[int, int]:
    """Runs the script and passes signals on to it; returns its exit status and its process."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _: object) -> None:
        # A terminal sends Ctrl-C to both processes; a second one would interrupt the script's own cleaning up.
        if child is not None and not (number in (signal.SIGINT, getattr(signal, "SIGQUIT", -1)) and _in_front()):
            with suppress(OSError):
                child.send_signal(number)

    before = {}
    for name in _FORWARDED:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, pass_on)
    try:
        child = subprocess.Popen([sys.executable, *flags, *program], env=environment)
        return child.wait(), child.pid
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_front() -> bool:
    """Whether this process is in the foreground of a terminal."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY)
    except (AttributeError, OSError):  # Windows, or no terminal
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _die_of(number: int) -> None:
    """Ends this process as the script's ended, so that a shell sees the same."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the script's own core is the one that matters
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    os.kill(os.getpid(), number)


@dataclass
class _Process:
    """What the journal of one process says."""

    pid: int = 0
    argv: list[str] = field(default_factory=list)
    tensorflow: str = ""  # the version that it imported
    writers: dict[int, dict[str, Any]] = field(default_factory=dict)  # by key, the last that was written of each
    findings: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)  # by code, subject and writer
    ops: list[dict[str, Any]] = field(default_factory=list)  # of a program that created no writer
    ended: bool = False  # it ran its exit hooks

    def take(self, line: dict[str, Any]) -> None:
        kind = line.pop("is")
        if kind == "process":
            self.pid, self.argv = line["pid"], line["argv"]
        elif kind == "tensorflow":
            self.tensorflow = line["version"]
        elif kind == "writer":
            self.writers[line["key"]] = line
        elif kind == "finding":
            key = (line["code"], line.get("subject", ""), line.get("created_at", ""))
            known = self.findings.get(key, line)
            self.findings[key] = {**line, "hint": line["hint"] or known["hint"], "place": known["place"]}
        elif kind == "end":
            self.ops, self.ended = line["ops"], True


def _read(directory: str) -> list[_Process]:
    processes = []
    for name in sorted(os.listdir(directory)):
        process = _Process()
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError):  # torn: the process was killed in the middle of it
                    process.take(json.loads(line))
        for writer in process.writers.values():
            if writer["open"]:
                _look_at_files(writer)
        processes.append(process)
    return processes


def _look_at_files(writer: dict[str, Any]) -> None:
    """A writer whose end nobody reported: what is in its files counts."""
    from safewriter.audit import audit_file

    landed = 0
    for file in writer["files"]:
        with suppress(OSError, ValueError):
            report = audit_file(file["path"])
            file["events"] = sum(each.shown for each in report.files)
            landed += max(0, file["events"] - 1)  # without the version record
    writer["landed"] = landed
    writer["events"] = writer["summaries"] = writer["lost"] = None


@dataclass
class Outcome:
    """What is reported of a run."""

    program: Sequence[str]
    status: int
    pid: int
    processes: list[_Process]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, in all processes."""
        return [finding for each in self.processes for finding in each.findings.values()]

    @property
    def writers(self) -> list[dict[str, Any]]:
        """The writers of all processes."""
        return [writer for each in self.processes for writer in each.writers.values()]

    def as_dict(self) -> dict[str, Any]:
        """The report in values that JSON can hold."""
        return {
            "schema": SCHEMA,
            "safewriter": safewriter.__version__,
            "program": list(self.program),
            "script_exit_code": self.status if self.status >= 0 else None,
            "signal": -self.status if self.status < 0 else None,
            "processes": [
                {
                    "pid": each.pid,
                    "main": each.pid == self.pid,
                    "argv": each.argv,
                    "ended": each.ended,
                    "tensorflow": each.tensorflow,
                    "writers": list(each.writers.values()),
                    "findings": list(each.findings.values()),
                    "ops_without_writer": each.ops,
                }
                for each in self.processes
            ],
        }

    def lines(self) -> Iterator[str]:
        """The report as text."""
        writers, findings = self.writers, self.findings
        notes = [note for writer in writers for note in writer["notes"]]
        if not writers and not findings:
            yield from self._without_writers()
            return
        landed = sum(writer["landed"] for writer in writers)
        lost = sum(writer["lost"] or 0 for writer in writers)
        known = all(writer["events"] is not None for writer in writers)
        total = f"{plural(len(writers), 'writer')}, {plural(landed, 'event')} on disk"
        if known:
            accepted = sum(writer["events"] for writer in writers)
            total += f" of {accepted:,} accepted" if accepted != landed else ", as many as were accepted"
        if lost:
            total += f", {lost:,} lost"
        if not findings and known and not lost:
            but = f" but {plural(len(notes), 'note')}" if notes else ""
            yield f"safewriter: {total}; nothing to report{but}."
            yield from self._notes(notes)
            return
        yield f"safewriter: {total}; {plural(len(findings), 'finding')}."
        for process in self.processes:
            for writer in process.writers.values():
                yield f"  {self._of(process, writer)}"
        for finding in findings:
            yield ""
            yield f"{finding['code']} {finding['name']}, at {shown(finding['place'])}"
            yield from (f"    {line}" for line in finding["message"].splitlines())
            if finding["hint"]:
                yield f"    Hint: {finding['hint']}"
            if finding.get("created_at"):
                yield f"    Writer created at {shown(finding['created_at'])}"
            yield f"    More: safewriter explain {finding['code']}"
        yield from self._notes(notes)

    def _notes(self, notes: Sequence[dict[str, Any]]) -> Iterator[str]:
        """What may be meant so, and is never warned of."""
        for note in notes:
            yield ""
            yield f"Note: {note['code']} {note['name']}: {note['message']}"
            yield f"    {note['hint']}"
            yield f"    More: safewriter explain {note['code']}"

    def _without_writers(self) -> Iterator[str]:
        ops = [op for each in self.processes for op in each.ops]
        if ops:
            first = f"the first, {ops[0]['tag']!r}, at {shown(ops[0]['place'])}"
            count = plural(len(ops), "summary op")
            yield f"safewriter: no summary writer was created; the default graph has {count} ({first})."
        elif self.status == 0:
            yield "safewriter: no summary writer was created."

    def _of(self, process: _Process, writer: dict[str, Any]) -> str:
        where = f"{shown(writer['logdir'])} (created at {shown(writer['created_at'])}"
        if process.pid != self.pid:
            where += f", process {process.pid}"
        if writer["events"] is None:
            state = "is still running" if lives(process.pid) else "ended before the writer was closed"
            return f"{where}): {plural(writer['landed'], 'event')} on disk; the process {state}"
        text = f"{where}): {plural(writer['summaries'], 'summary', 'summaries')}, "
        text += f"{writer['landed']:,} of {plural(writer['events'], 'event')} on disk"
        if writer["tags"]:
            text += f"; tags: {listed(map(shown, writer['tags']), _TAGS)}"
        return text

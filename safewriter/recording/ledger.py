"""The account of one writer: what came in, what landed, what was told. It never holds the writer itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from safewriter.checks.landing import never_flushed, used_after_close
from safewriter.checks.values import TagStats, ValuesJudge
from safewriter.findings import Desk, Finding
from safewriter.recording.eventlog import Part
from safewriter.recording.watch import DirectoryWatch


@dataclass(frozen=True)
class FileReport:
    """One event file of a writer.

    Attributes:
        path: Where it was created.
        bytes: Its size when last looked at.
        events: Accepted events that were written to it; its version record is not counted.
    """

    path: str
    bytes: int
    events: int


@dataclass(frozen=True)
class WriterReport:
    """What a writer has done so far.

    Attributes:
        logdir: The log directory, as it was passed.
        files: Each event file.
        created_at: ``file:line`` that created the writer.
        role: Who this process is among those of its run.
        summaries: ``add_summary`` calls that were accepted.
        events: All events that were accepted.
        landed: Events that were found on disk when the writer last looked (at each flush and close).
        pending: Accepted events that only memory holds (remote or slow storage): what a kill would lose.
        lost: Accepted events that can't land any more.
        tags: By tag: how many values, first and last step, how many were not finite.
        never_written: Summary ops of the writer's graphs that no writer got, each with the line that defined it.
        findings: What was told, or ignored by nobody.
    """

    logdir: str
    files: tuple[FileReport, ...]
    created_at: str
    role: str
    summaries: int
    events: int
    landed: int
    pending: int
    lost: int
    tags: dict[str, TagStats]
    never_written: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report in values that JSON can hold."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        shown["files"] = [asdict(file) for file in self.files]
        shown["tags"] = {tag: stats.as_dict() for tag, stats in self.tags.items()}
        shown["never_written"] = [list(op) for op in self.never_written]
        shown["findings"] = [finding.as_dict() for finding in self.findings]
        return shown


WriterReport.__module__ = "safewriter"


class Account(Protocol):
    """What the ledger asks of an event writer's log, whichever it is."""

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, with what is in it."""

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""

    @property
    def accepted(self) -> int:
        """Events that were taken."""

    @property
    def landed(self) -> int:
        """Events that were found on disk at the last look."""

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""

    @property
    def pending(self) -> int:
        """Accepted events that only this process's memory holds."""

    @property
    def generation(self) -> int:
        """Number of files begun."""


class End(Protocol):
    """What closes an event writer."""

    sums: list[Finding]

    def prepare(self) -> None:
        """Sees to it that the file which the next event goes to is begun."""

    def close(self, timeout: float | None = None) -> None:
        """Closes it; what could not be written is in ``sums``."""


class Ledger:
    """Counts what one writer takes, and knows what to say when it ends.

    Args:
        logdir: As it was passed.
        directory: The same with links resolved: writers of one directory have it in common.
        desk: Where findings are told.
        account: What is counted of the events and their files.
        end: The event writer: what closes it, and what that had to say.
        role: Who this process is.
        lock: The writer's; made anew in a forked child.
        news: What came up beneath the writer and has not been told yet.
        shares: The file may be shared with other writers by design (``session=``).
    """

    def __init__(
        self,
        logdir: str,
        directory: str,
        desk: Desk,
        account: Account,
        end: End,
        role: str,
        lock: Any,
        news: list[Finding],
        *,
        shares: bool = False,
    ) -> None:
        self.key = desk.number
        self.shares = shares
        self.logdir = logdir
        self.directory = directory
        self.desk = desk
        self.account = account
        self.end = end
        self.role = role
        self._lock = lock
        self._news = news
        self.pid = os.getpid()
        self.watch: DirectoryWatch | None = None  #: set when the writer has its file
        self.values = ValuesJudge()
        self.summaries = 0
        self.dropped = 0  #: events that came after close
        self.closed = False
        self._flushed_events = 0
        self._ever_flushed = False

    def flushed(self) -> None:
        """The user flushed or closed: what was accepted so far is in safety by the user's own doing."""
        self._flushed_events = self.account.accepted
        self._ever_flushed = True

    def take_news(self) -> list[Finding]:
        """What came up beneath the writer since this was last asked; each finding to one caller."""
        with self._lock:
            taken = list(self._news)
            del self._news[: len(taken)]  # not all: a queue's thread may add one meanwhile
        return taken

    def first_write(self, tag: str) -> list[Finding]:
        """SW107, when a tag is written for the first time."""
        return [] if self.watch is None else self.watch.wrote(tag, self.values.tags[tag].first)

    def look_on_flush(self) -> list[Finding]:
        """SW203 and SW107, as far as they are known now."""
        return [] if self.watch is None else self.watch.flushed()

    def look_at_end(self) -> list[Finding]:
        """The same, for the last time."""
        return [] if self.watch is None else self.watch.closing()

    def begin_in_child(self) -> None:
        """A forked child goes on with this writer: its account begins anew."""
        self.pid = os.getpid()
        self.values = ValuesJudge()
        self.summaries = self.dropped = self._flushed_events = 0
        self._ever_flushed = False

    def after_fork(self) -> None:
        """In a forked child: the thread that held a lock is not there."""
        self.desk.after_fork()
        if hasattr(self._lock, "_at_fork_reinit"):  # CPython's own way, as in logging and threading
            self._lock._at_fork_reinit()

    def sums(self) -> list[Finding]:
        """What went on after it was told, and what closing found; each once."""
        closing, self.end.sums = self.end.sums, []
        return [*closing, *self.values.sum_up()]

    def findings_at_end(self, *, dropped: bool) -> list[Finding]:
        """SW501 where the user neither flushed nor closed.

        Args:
            dropped: The writer was garbage-collected, and the program goes on.
        """
        behind = self.account.accepted - self._flushed_events
        if self.closed or behind <= 0:
            return []
        return [never_flushed(behind, self._ever_flushed, self.account.path, dropped=dropped)]

    def findings_after_close(self) -> list[Finding]:
        """SW504: what was added after close, summed up once."""
        dropped, self.dropped = self.dropped, 0
        return [used_after_close(dropped)] if dropped else []

    def report(self, never_written: tuple[tuple[str, str], ...]) -> WriterReport:
        """The account as it stands."""
        account = self.account
        return WriterReport(
            logdir=self.logdir,
            files=tuple(FileReport(part.path, part.size, part.events) for part in account.parts),
            created_at=self.desk.created_at,
            role=self.role,
            summaries=self.summaries,
            events=account.accepted,
            landed=account.landed,
            pending=account.pending,
            lost=account.lost,
            tags=self.values.stats(),
            never_written=never_written,
            findings=self.desk.findings,
        )

"""The account of one writer: what came in, what landed, what was reported. It never holds the writer itself."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from safewriter.checks.landing import never_flushed, used_after_close
from safewriter.checks.values import UNSAID, TagStats, ValuesJudge
from safewriter.findings import Desk, Finding, guarded, is_a_handlers
from safewriter.recording.landing import Landing
from safewriter.recording.report import FileReport, WriterReport
from safewriter.recording.turn import Turn
from safewriter.recording.watch import DirectoryWatch

if TYPE_CHECKING:
    from safewriter.recording.scope import Scope


class Ledger:
    """Counts what one writer takes, and knows what to say when it ends.

    Args:
        logdir: As it was passed.
        directory: The same with links resolved: writers of one directory have it in common.
        desk: Where findings are reported.
        events: The event writer.
        role: Who this process is.
        news: Findings from beneath the writer that have not been reported yet.
        shares: The file may be shared with other writers by design (``session=``).
        words: Puts a finding into the words of the writer's kind.

    Attributes:
        key: Names the writer; a later writer has a greater number.
        turn: Of the writer's calls.
        scope: The one that the writer was entered in; set there.
        watch: Of the directory; set when the writer has its file.
        summaries: ``add_summary`` calls that were accepted.
        other_summaries: Events with a summary that came by ``add_event``.
        dropped: Events that came after close.
        tags_seen: How many tags were booked.
    """

    scope: Scope

    def __init__(
        self,
        logdir: str,
        directory: str,
        desk: Desk,
        events: Landing,
        role: str,
        news: list[Finding],
        *,
        shares: bool = False,
        words: Callable[[Finding], Finding] = lambda finding: finding,
    ) -> None:
        self.key = desk.number
        self.logdir = logdir
        self.directory = directory
        self.desk = desk
        self.events = events
        self.role = role
        self.shares = shares
        self.turn = Turn(events.turn)
        self.watch: DirectoryWatch | None = None
        self._news = news
        self._words = words
        self._begin()

    def _begin(self) -> None:
        self.values = ValuesJudge()
        self.summaries = 0
        self.other_summaries = 0
        self.dropped = 0
        self.tags_seen = 0
        self._flushed_events = 0
        self._flushed_summaries = 0
        self._ever_flushed = False

    @property
    def is_open(self) -> bool:
        """Whether the writer is still to be ended: it is open, or an exception of a handler's has left its close."""
        return self.key in self.scope.open

    def flushed(self) -> None:
        """The user flushed or closed: SW501 is about what comes after."""
        self._flushed_events = self.events.backend.accepted
        self._flushed_summaries = self.summaries + self.other_summaries
        self._ever_flushed = True

    def take_news(self) -> Iterator[Finding]:
        """The findings from beneath the writer since the last call; each goes to one caller, as it asks for it."""
        taken: list[Finding] = []
        try:
            with contextlib.suppress(IndexError):  # nothing comes between `pop` and `extend`
                taken.extend(iter(partial(self._news.pop, 0), None))
            while taken:
                said = self.worded(taken[:1])
                del taken[0]
                yield from said
        finally:  # an exception of a handler's may leave some
            self._news[:0] = taken

    def worded(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the words of the writer's kind; as they are where that fails."""
        said: list[Finding] = []
        for finding in findings:
            said += guarded(self.desk, "wording", partial(map, self._words, [finding])) or [finding]
        return said

    def book(self, summary: Any, step: int, given: object = UNSAID) -> Sequence[Finding]:
        """Judges a summary that landed, and books the tags that it brought. See ``ValuesJudge.observe``."""
        try:
            found = self.values.observe(summary, step, given)
            if len(self.values.tags) != self.tags_seen:
                self._book_new_tags(summary)
        except Exception as error:
            if is_a_handlers(error):
                raise
            self.desk.internal("values")  # ours, whatever it is: the event is on its way
            return ()
        return found

    def _book_new_tags(self, summary: Any) -> None:
        tags = self.values.tags
        self.tags_seen = len(tags)
        for tag, times in Counter(value.tag for value in summary.value).items():
            if tags[tag].count <= times:
                self.scope.graphs.wrote(self.key, tag)
                if self.watch is not None:
                    self._news += self.watch.wrote(tag, tags[tag].first)

    def look_around(self, *, at_end: bool = False) -> None:
        """Looks for SW203 and SW107, which are then among the news; ``at_end`` for the last time."""
        with self.desk.guard("directory"):
            if self.watch is not None:
                self._news += self.watch.closing() if at_end else self.watch.flushed()

    def begin_in_child(self) -> None:
        """Begins anew in a forked child, which writes a file of its own."""
        self._begin()
        self._news.clear()

    def sums(self) -> Iterator[Finding]:
        """What to say at close: what could not be written, and the sums for what went on after it was reported."""
        events = self.events
        with self.desk.guard("sums"):
            closing, events.sums[:] = list(events.sums), []
            yield from self.worded((*closing, *self.values.sum_up()))

    def findings_at_end(self, *, dropped: bool) -> list[Finding]:
        """SW501 where the user neither flushed nor closed.

        Args:
            dropped: The writer was garbage-collected, and the program goes on.
        """
        backend = self.events.backend
        behind = backend.accepted - self._flushed_events
        if self.events.closed or behind <= 0:
            return []
        if self._ever_flushed and self.summaries + self.other_summaries == self._flushed_summaries:
            return []  # session logs, which TensorFlow's hooks add after their last flush
        return [never_flushed(behind, self._ever_flushed, backend.path, dropped=dropped)]

    def findings_after_close(self) -> list[Finding]:
        """SW504: what was added after close, summed up once."""
        dropped, self.dropped = self.dropped, 0
        return [used_after_close(dropped)] if dropped else []

    def report(self) -> WriterReport:
        """The account as it stands."""
        never: tuple[tuple[str, str], ...] = ()
        with self.desk.guard("graph accounting"):
            never = self.scope.graphs.never_written(self.key)
        if self.turn.reentered():  # in the middle of a call, as far as it is
            return self._report(never)
        try:
            with self.turn.lock:
                return self._report(never)
        finally:
            self.turn.act()

    def _report(self, never: tuple[tuple[str, str], ...]) -> WriterReport:
        backend, foreign = self.events.backend, self.events.foreign
        pending = backend.pending  # in a forked child it is the parent's to write
        tags: dict[str, TagStats] = {}
        with self.desk.guard("values"):
            tags = self.values.stats()
        return WriterReport(
            logdir=self.logdir,
            files=tuple(FileReport(part.path, part.size, part.events) for part in backend.parts),
            created_at=self.desk.created_at,
            role=self.role,
            summaries=self.summaries,
            events=backend.accepted - pending if foreign else backend.accepted,
            landed=backend.landed,
            pending=0 if foreign else pending,
            lost=backend.lost,
            tags=tags,
            never_written=never,
            findings=self.desk.findings,
        )

"""What a process keeps of its writers, and what is said when it ends."""

from __future__ import annotations

import atexit
import collections
import multiprocessing
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from multiprocessing import util
from typing import Protocol

from safewriter.checks.distribution import shared_by_writers
from safewriter.checks.landing import events_lost, more_never_closed, too_many_writers
from safewriter.findings import CAPTURES, Desk, Finding, SafeWriterError, SafeWriterWarning, guarded
from safewriter.recording.graphs import Graphs
from safewriter.recording.ledger import Ledger
from safewriter.system import ending, process

MANY = 32  # open writers
EXIT_SECS = 30.0  #: that a remote or slow storage may take when the program ends

#: Makes a function that returns the tags which TensorFlow's own writers wrote; set by the room that knows TensorFlow.
stock_tags: Callable[[], Callable[[], set[str]]] | None = None


#: Reports what was noted of a program and is no writer's; called when the program, or a capture, ends, with whether
#: an exception broke it off.
at_end: list[Callable[[bool], None]] = []


class Observer(Protocol):
    """Follows the writers of a process, for ``safewriter run``."""

    def changed(self, ledger: Ledger) -> None:
        """A writer has opened or closed."""

    def ending(self) -> None:
        """The program ends: what is still open is about to be ended."""

    def ended(self) -> None:
        """All that there was to say has been said."""


observer: Observer | None = None


@dataclass
class _Unclosed:
    """The writers that one line created and nobody closed."""

    desk: Desk  #: of the first, which was reported
    more: int = 0
    events: int = 0


class Scope:
    """The writers that were created between its beginning and its end, by their ledgers, and their graphs.

    The process has one. A capture opens one within it, and ends it as a program ends. In a forked child each begins
    anew: the writers of the parent stay the parent's until the child writes with them.

    A writer that is dropped without being closed is ended by a finalizer; those still open when the interpreter ends,
    by one exit hook. Nothing happens in ``__del__``: a flush there can hang the interpreter.
    """

    def __init__(self) -> None:
        self.open: dict[int, Ledger] = {}
        self._owing: dict[int, Ledger] = {}
        self._unclosed: dict[str, _Unclosed] = {}
        self._last: Desk | None = None  # of the newest writer: where a fault of our own is reported that is no writer's

    @cached_property
    def graphs(self) -> Graphs:
        """Which graphs these writers were opened on, and what was written of each."""
        return Graphs() if stock_tags is None else Graphs(stock_tags())

    def enter(self, ledger: Ledger, *, may_share: bool = False) -> list[Finding]:
        """A writer opens.

        Args:
            ledger: Its account.
            may_share: Nothing is said of other writers on its directory.

        Returns:
            SW204 and SW506.
        """
        ledger.scope = self
        self.open[ledger.key] = ledger
        self._last = ledger.desk
        with ledger.desk.guard("exit"):
            ending.watch()
        if observer is not None:
            observer.changed(ledger)
        return guarded(ledger.desk, "writers of the process", lambda: _others(ledger, may_share=may_share))

    def owes(self, ledger: Ledger) -> None:
        """A closed writer has something to say at the end: adds that it dropped."""
        self._owing[ledger.key] = ledger

    def leave(self, ledger: Ledger) -> None:
        """A writer has closed."""
        self.open.pop(ledger.key, None)

    # Ends.

    def close(
        self,
        ledger: Ledger,
        close: Callable[[], None],
        *,
        before: Iterable[Finding] = (),
        may_raise: bool,
        at_creation: bool = False,
        broken_off: bool = False,
        on_its_line: bool = False,
    ) -> None:
        """Closes a writer and reports what there is to say of it.

        Args:
            ledger: Its account.
            close: What closes the event writer.
            before: Findings to be reported first.
            may_raise: False at exit, and while another exception leaves.
            at_creation: Point at the line that created the writer.
            broken_off: An exception ended what the writer was for.
            on_its_line: It was closed on the line that created it.

        Raises:
            SafeWriterError: Under ``strict``.
            Exception: What ``close`` raised, after all else was reported.
        """
        desk = ledger.desk
        failure: Exception | None = None
        try:
            close()
        except Exception as error:  # noqa: BLE001 - raised again below, after all else is reported
            failure = error
        about_graphs = guarded(
            desk,
            "graph accounting",
            lambda: self.graphs.close(
                ledger.key, ledger.summaries, broken_off=broken_off, at_creation_line=on_its_line
            ),
        )
        unclosed: list[Finding] = []
        if failure is not None and not may_raise:
            unclosed.append(_not_closed(ledger, failure))
            failure = None
        raised: Exception | None = None
        found = chain(before, ledger.take_news(), unclosed)
        for findings, again in ((found, False), (ledger.sums(), True), (about_graphs, False)):
            try:
                desk.report_all(findings, may_raise=may_raise and raised is None, at_creation=at_creation, again=again)
            except (SafeWriterError, SafeWriterWarning) as error:
                raised = error
        self.leave(ledger)  # not before: where an exception of a handler's comes, the next close says the rest
        if observer is not None:
            observer.changed(ledger)
        if failure is not None:
            raise failure
        if raised is not None:
            raise raised

    def abandon(self, ledger: Ledger) -> None:
        """A writer was garbage-collected."""
        if ledger.events.foreign:
            return
        with ledger.desk.guard("finalizer"):
            if not ledger.events.closed:
                self._end_unclosed(ledger, dropped=True)
            self._report_owed(ledger)
            self.graphs.forget(ledger.key)

    def _end_unclosed(self, ledger: Ledger, *, dropped: bool) -> None:
        before = ledger.worded(guarded(ledger.desk, "exit", lambda: self._never_flushed(ledger, dropped=dropped)))
        ledger.look_around(at_end=True)
        self.close(ledger, lambda: ledger.events.close(EXIT_SECS), before=before, may_raise=False, at_creation=True)

    def _never_flushed(self, ledger: Ledger, *, dropped: bool) -> list[Finding]:
        """SW501 of the first writer of a line; those of further ones are summed up: a loop may create thousands."""
        desk, findings = ledger.desk, ledger.findings_at_end(dropped=dropped)
        if not findings or "SW501" in desk.policy.ignored:
            return findings
        line = self._unclosed.get(desk.created_at)
        if line is None:
            self._unclosed[desk.created_at] = _Unclosed(desk)
            return findings
        line.more += 1
        line.events += findings[0].data["events"]
        desk.note(findings[0])
        return []

    def _report_owed(self, ledger: Ledger) -> None:
        self._owing.pop(ledger.key, None)
        ledger.desk.report_all(ledger.findings_after_close(), may_raise=False, at_creation=True, again=True)

    def end(self) -> None:
        """The program ends: ends all writers that are open, and judges the graphs."""
        for ledger in list(self.open.values()):
            with ledger.desk.guard("exit"):
                self._end_unclosed(ledger, dropped=False)
        broken_off = True  # where that can't be known, nothing is said that may be wrong
        if self._last is not None:
            with self._last.guard("exit"):
                broken_off = ending.broken_off()
        self._report_rest(broken_off=broken_off)

    def end_capture(self, outer: Scope) -> None:
        """Reports what would be reported if the program ended now. Writers that are still open are ``outer``'s now."""
        for ledger in list(self.open.values()):
            with ledger.desk.guard("exit"):
                found = self._never_flushed(ledger, dropped=False)
                ledger.desk.report_all(found, may_raise=False, at_creation=True)
                ledger.flushed()
        self._report_rest(broken_off=False)
        for ledger in list(self.open.values()):
            ledger.scope = outer
            outer.open[ledger.key] = ledger

    def _report_rest(self, *, broken_off: bool) -> None:
        for ledger in list(self._owing.values()):
            with ledger.desk.guard("exit"):
                self._report_owed(ledger)
        if self._last is None:
            return
        for report in at_end:
            with self._last.guard("usage"):
                report(broken_off)
        with self._last.guard("exit"):
            lines, self._unclosed = list(self._unclosed.values()), {}
            for line in lines:
                if line.more:
                    line.desk.report(more_never_closed(line.more, line.events), may_raise=False, at_creation=True)
        with self._last.guard("graph accounting"):
            adds: dict[Hashable, int] = {ledger.key: ledger.summaries for ledger in self.open.values()}
            for desk, finding in self.graphs.finish(adds, broken_off=broken_off):
                desk.report(finding, may_raise=False, at_creation=True)

    def after_fork(self) -> None:
        """In a forked child: begins anew; what the parent has open or owes is the parent's."""
        for ledger in (*self.open.values(), *self._owing.values()):
            ledger.desk.after_fork()
        self.open, self._owing, self._unclosed = {}, {}, {}
        self.graphs.after_fork()


def _others(ledger: Ledger, *, may_share: bool) -> list[Finding]:
    """SW204 and SW506, where others are open beside a writer."""
    others = [each for each in open_writers() if each is not ledger]
    found = []
    beside = [each for each in others if each.directory == ledger.directory and not may_share]
    if beside:
        places = [each.desk.created_at for each in beside]
        shared = ledger.shares and any(each.shares for each in beside)
        found.append(shared_by_writers(ledger.directory, ledger.desk.created_at, places, shared_resource=shared))
    if len(others) == MANY:
        places = [each.desk.created_at for each in (*others, ledger)]
        found.append(too_many_writers(len(places), collections.Counter(places).most_common()))
    return found


def _not_closed(ledger: Ledger, failure: Exception) -> Finding:
    backend = ledger.events.backend
    error = failure if isinstance(failure, OSError) else OSError(f"{type(failure).__name__}: {failure}")
    return events_lost(backend.path, error, backend.accepted - backend.landed, 0)


_scopes = [Scope()]  # the process's, and those of open captures, innermost last


def current() -> Scope:
    """The scope that a new writer belongs to."""
    return _scopes[-1]


def abandon(ledger: Ledger) -> None:
    """The finalizer of a writer."""
    ledger.scope.abandon(ledger)


def open_writers() -> list[Ledger]:
    """The open writers of this process."""
    return [ledger for scope in list(_scopes) for ledger in list(scope.open.values())]


def files_in(directory: str) -> list[str]:
    """The event files of this process's open writers in a directory, links resolved."""
    return [part.path for each in open_writers() if each.directory == directory for part in each.events.backend.parts]


@contextmanager
def capture() -> Iterator[list[Finding]]:
    """Collects findings in a list instead of warning of them, in a scope that ends with the block."""
    with CAPTURES.capture() as findings:
        scope = Scope()
        _scopes.append(scope)
        try:
            yield findings
        finally:
            _scopes.remove(scope)
            scope.end_capture(_scopes[-1])


def end_program() -> None:
    """The exit hook."""
    if observer is not None:
        observer.ending()
    for scope in reversed(list(_scopes)):
        scope.end()
    if observer is not None:
        observer.ended()


def _end_with_worker(_: object = None) -> None:
    util.Finalize(None, end_program, exitpriority=0)


@process.in_child
def _after_fork() -> None:
    for scope in _scopes:
        scope.after_fork()


atexit.register(end_program)
# Children of multiprocessing mostly end without exit hooks, and begin by forgetting what was registered before.
util.register_after_fork(_scopes[0], _end_with_worker)
if multiprocessing.parent_process() is not None:
    _end_with_worker()

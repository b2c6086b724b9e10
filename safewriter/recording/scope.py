"""All writers of this process: who shares a directory, who leaks, and what is said when the program ends."""

from __future__ import annotations

import atexit
import collections
import multiprocessing
import os
import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from multiprocessing import util

from safewriter.checks.distribution import shared_by_writers
from safewriter.checks.landing import events_lost, more_never_closed, too_many_writers
from safewriter.findings import CAPTURES, Desk, Finding, SafeWriterError
from safewriter.recording.graphs import ACCOUNTS
from safewriter.recording.ledger import Ledger

MANY = 32  # open writers
_EXIT_SECS = 30.0  # that a remote or slow storage may take when the program ends


@dataclass
class _Unclosed:
    """The writers that one line created and nobody closed."""

    desk: Desk  #: of the first, which was told
    more: int = 0
    events: int = 0


class Registry:
    """The open writers of this process, by their ledgers.

    A writer that is dropped without being closed is ended by a finalizer; those still open when the interpreter ends,
    by one exit hook. Nothing happens in ``__del__``: a flush there can hang the interpreter.
    """

    def __init__(self) -> None:
        self._open: dict[int, Ledger] = {}
        self._owing: dict[int, Ledger] = {}
        self._told_many = False
        self._unclosed: dict[tuple[str, int], _Unclosed] = {}
        self._last: Desk | None = None  #: of the newest writer: where a fault of our own is told that is no writer's
        self._lock = threading.RLock()
        atexit.register(self.end_program)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)
        # Children of multiprocessing mostly end without exit hooks, and begin by forgetting what was registered before.
        util.register_after_fork(self, Registry._end_with_worker)
        if multiprocessing.parent_process() is not None:
            self._end_with_worker()

    def _end_with_worker(self) -> None:
        util.Finalize(None, self.end_program, exitpriority=0)

    def enter(self, ledger: Ledger, *, shares: bool) -> list[Finding]:
        """A writer opens.

        Args:
            ledger: Its account.
            shares: It may share its file with other writers by design (``session=``).

        Returns:
            SW204 and SW506.
        """
        with self._lock:
            others = [
                other
                for other in self._open.values()
                if other.directory == ledger.directory and other.pid == ledger.pid and not (shares and other.shares)
            ]
            self._open[ledger.key] = ledger
            self._last = ledger.desk
            found = []
            if others:
                places = [other.desk.created_at for other in others]
                found.append(shared_by_writers(ledger.directory, ledger.desk.created_at, places))
            mine = [each.desk.created_at for each in self._open.values() if each.pid == ledger.pid]
            if len(mine) > MANY and not self._told_many:
                self._told_many = True
                found.append(too_many_writers(len(mine), collections.Counter(mine).most_common()))
            return found

    def files_in(self, directory: str) -> list[str]:
        """The event files of this process's open writers in a directory, links resolved."""
        with self._lock:
            ledgers = [ledger for ledger in self._open.values() if ledger.directory == directory]
        return [part.path for ledger in ledgers for part in ledger.account.parts]

    def owes(self, ledger: Ledger) -> None:
        """A closed writer has something to say at the end: adds that it dropped."""
        with self._lock:
            self._owing[ledger.key] = ledger

    def leave(self, ledger: Ledger) -> None:
        """A writer has closed."""
        with self._lock:
            self._open.pop(ledger.key, None)
            if len(self._open) <= MANY:
                self._told_many = False

    # Ends.

    def end_writer(
        self,
        ledger: Ledger,
        close: Callable[[], None],
        *,
        before: Iterable[Finding] = (),
        may_raise: bool,
        at_creation: bool = False,
        graph_only: bool = False,
    ) -> None:
        """Closes a writer and tells what there is to tell: its own sums, and its graphs' where it was their last.

        Args:
            ledger: Its account.
            close: What closes the event writer.
            before: Findings to be told first.
            may_raise: False at exit, and while another exception leaves.
            at_creation: Point at the line that created the writer.
            graph_only: See ``GraphAccounts.close``.

        Raises:
            SafeWriterError: Under ``strict``.
            Exception: What ``close`` raised, after all else was told.
        """
        desk = ledger.desk
        failure: Exception | None = None
        try:
            close()
        except Exception as error:  # noqa: BLE001 - raised again below, after all else is told
            failure = error
        ledger.closed = True
        self.leave(ledger)
        told = [*before, *ledger.take_news()]
        sums: list[Finding] = []
        with desk.guard("sums"):
            sums += ledger.sums()
        about_graphs: list[Finding] = []
        with desk.guard("graph accounting"):
            about_graphs = [
                finding for _, finding in ACCOUNTS.close(ledger.key, ledger.summaries, graph_only=graph_only)
            ]
        if failure is not None and not may_raise:
            told.append(_not_closed(ledger, failure))
            failure = None
        raised: Exception | None = None
        for findings, again in ((told, False), (sums, True), (about_graphs, False)):
            try:
                desk.tell_all(findings, may_raise=may_raise and raised is None, at_creation=at_creation, again=again)
            except (SafeWriterError, Warning) as error:
                raised = error
        if failure is not None:
            raise failure
        if raised is not None:
            raise raised

    def abandon(self, ledger: Ledger) -> None:
        """The finalizer of a writer: it was garbage-collected."""
        if ledger.pid != os.getpid():
            return
        with ledger.desk.guard("finalizer"):
            if not ledger.closed:
                self._end_unclosed(ledger, dropped=True)
            self._tell_owed(ledger)
            ACCOUNTS.forget(ledger.key)

    def _end_unclosed(self, ledger: Ledger, *, dropped: bool) -> None:
        before = self._of_a_line(ledger, ledger.findings_at_end(dropped=dropped))
        with ledger.desk.guard("directory"):
            before += ledger.look_at_end()
        self.end_writer(ledger, lambda: ledger.end.close(_EXIT_SECS), before=before, may_raise=False, at_creation=True)

    def _of_a_line(self, ledger: Ledger, findings: list[Finding]) -> list[Finding]:
        """SW501 of the first writer of a line; those of further ones are summed up: a loop may create thousands."""
        desk = ledger.desk
        if not findings or "SW501" in desk.policy.ignored:
            return findings
        with self._lock:
            line = self._unclosed.get((desk.created_at, CAPTURES.since))
            if line is None:
                self._unclosed[desk.created_at, CAPTURES.since] = _Unclosed(desk)
                return findings
            line.more += 1
            line.events += findings[0].data["events"]
        desk.note(findings[0])
        return []

    def _tell_lines(self, since: int) -> None:
        for key, line in list(self._unclosed.items()):
            if key[1] >= since:
                del self._unclosed[key]
                if line.more:
                    line.desk.tell(more_never_closed(line.more, line.events), may_raise=False, at_creation=True)

    def _tell_owed(self, ledger: Ledger) -> None:
        with self._lock:
            self._owing.pop(ledger.key, None)
        ledger.desk.tell_all(ledger.findings_after_close(), may_raise=False, at_creation=True, again=True)

    def end_program(self) -> None:
        """The exit hook: ends all writers that are open, and judges the graphs that are left."""
        for ledger in self._of_this_process(self._open):
            with ledger.desk.guard("exit"):
                self._end_unclosed(ledger, dropped=False)
        self._tell_rest()

    def end_capture(self, since: int) -> None:
        """Tells what would be told if the program ended now, of the writers created after ``since``; closes nothing."""
        for ledger in self._of_this_process(self._open):
            if ledger.key > since:
                found = self._of_a_line(ledger, ledger.findings_at_end(dropped=False))
                ledger.desk.tell_all(found, may_raise=False, at_creation=True)
                ledger.flushed()
        self._tell_rest(since)

    def _tell_rest(self, since: int = 0) -> None:
        for ledger in self._of_this_process(self._owing):
            if ledger.key > since:
                with ledger.desk.guard("exit"):
                    self._tell_owed(ledger)
        if self._last is None:
            return
        with self._last.guard("exit"):
            self._tell_lines(since)
        with self._last.guard("graph accounting"):
            for desk, finding in ACCOUNTS.finish(self._adds(), since=since):
                desk.tell(finding, may_raise=False, at_creation=True)

    def _adds(self) -> dict[Hashable, int]:
        return {ledger.key: ledger.summaries for ledger in self._of_this_process(self._open)}

    def _of_this_process(self, ledgers: dict[int, Ledger]) -> list[Ledger]:
        with self._lock:
            return [ledger for ledger in ledgers.values() if ledger.pid == os.getpid()]

    def _after_fork(self) -> None:
        """In a forked child: locks anew, for the threads that held them are not there.

        The parent's writers stay its own.
        """
        self._lock = threading.RLock()
        for ledger in (*self._open.values(), *self._owing.values()):
            ledger.after_fork()


def _not_closed(ledger: Ledger, failure: Exception) -> Finding:
    account = ledger.account
    error = failure if isinstance(failure, OSError) else OSError(f"{type(failure).__name__}: {failure}")
    return events_lost(account.path, error, account.accepted - account.landed, 0)


REGISTRY = Registry()

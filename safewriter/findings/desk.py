"""The one door through which findings leave: warned, raised, captured or ignored.

A writer has a ``Desk``. Everything that safewriter has to say about that writer is handed to its desk,
which reports each subject once, counts it on, and keeps the sum for ``report()``.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from safewriter.findings.carriers import SafeWriterError, SafeWriterWarning, error_for, warning_for
from safewriter.findings.code import Kind
from safewriter.findings.finding import Finding
from safewriter.findings.place import Place, is_a_handlers, is_users, users_place
from safewriter.findings.select import select_codes


@dataclass(frozen=True)
class Policy:
    """What becomes of findings of kind *warning*.

    Attributes:
        strict: They are raised where they would have been warned.
        ignored: Codes that are not reported at all.
    """

    strict: bool = False
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, strict: bool = False, ignore: str | Iterable[str] = (), environment: Mapping[str, str] = os.environ
    ) -> Policy:
        """The policy asked for in code, joined with ``SAFEWRITER_STRICT`` and ``SAFEWRITER_IGNORE``.

        Raises:
            ValueError: An unknown code; the message lists the right ones.
        """
        by_environment = environment.get("SAFEWRITER_STRICT", "").strip().lower()
        if by_environment not in ("", "0", "1", "false", "true", "no", "yes"):
            raise ValueError(f"SAFEWRITER_STRICT is {by_environment!r}; use 1 or 0.")
        return cls(
            strict=strict or by_environment in ("1", "true", "yes"),
            ignored=select_codes(ignore) | select_codes(environment.get("SAFEWRITER_IGNORE", "")),
        )


class _Captures:
    """The lists that ``safewriter.testing.capture_findings`` has open, innermost last."""

    def __init__(self) -> None:
        #: Takes findings that would be warned; is only shown those that are raised. Returns False if it can't.
        self.sink: Callable[[Finding, Place, bool], bool] | None = None
        self._open: list[list[Finding]] = []  # never changed, but replaced by another: who takes needs no lock
        self._lock = threading.RLock()  # a signal handler may capture in the middle of a capture

    @contextmanager
    def capture(self) -> Iterator[list[Finding]]:
        findings: list[Finding] = []
        with self._lock:
            self._open = [*self._open, findings]
        try:
            yield findings
        finally:
            with self._lock:
                self._open = [each for each in self._open if each is not findings]

    def take(self, finding: Finding) -> bool:
        captures = self._open
        if captures:
            captures[-1].append(finding)
        return bool(captures)


CAPTURES = _Captures()


def send(finding: Finding, place: Place | None = None, *, may_raise: bool = True, strict: bool = False) -> None:
    """Sends one finding out: into a capture, as a warning, or raised.

    Args:
        finding: What happened.
        place: The line that the warning points at; the caller's line where it is None.
        may_raise: False in an exit hook, or while another exception leaves: nothing is raised then,
            not even by a warning filter that says ``error``.
        strict: Raise a finding of kind *warning*.

    Raises:
        SafeWriterError: Of kind *error*, or under ``strict``.
        SafeWriterWarning: A warning filter of the user's says ``error``.
    """
    if may_raise and (strict or finding.kind is Kind.ERROR):
        if CAPTURES.sink is not None:
            CAPTURES.sink(finding, place or users_place(), True)
        raise error_for(finding)
    if CAPTURES.take(finding):
        return
    place = place or users_place()
    if CAPTURES.sink is not None and CAPTURES.sink(finding, place, False):
        return
    warning = warning_for(finding)
    try:
        warnings.warn_explicit(
            warning, type(warning), place.filename, place.lineno, place.module, registry=place.registry
        )
    except Exception as error:
        if (error is warning and may_raise) or is_a_handlers(error):  # a filter says ``error``
            raise
        _print(f"{place}: {type(warning).__name__}: {warning}\n")


def _print(text: str) -> None:
    """Shows text without any hook of the user's; where standard error does not take it, on the interpreter's own."""
    for stream in (sys.stderr, sys.__stderr__):
        with suppress(Exception):  # closed, full, or in the middle of another write
            print(text, end="", file=stream)
            return


class Desk:
    """All that is said about one writer.

    Args:
        policy: What becomes of warnings.
        place: Where the writer was created; it stands in each message, and exit hooks point there.

    Attributes:
        number: Desks count up: one that was made later has a greater number.
        unsaid: Calls of ``report`` that an exception out of a signal handler has cut off; ``report_all`` begins with
            them.
    """

    _numbers = itertools.count(1)

    def __init__(self, policy: Policy, place: Place) -> None:
        self.number = next(Desk._numbers)
        self.policy = policy
        self.place = place
        self.created_at = str(place)
        self._reported: dict[tuple[str, str], Finding] = {}
        self._left: deque[tuple[Finding, bool]] = deque()  # to be counted
        self.unsaid: list[partial[None]] = []
        self._lock = threading.Lock()  # of who counts; nobody waits for it

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Each finding so far, once a subject, with its count."""
        self._count_left()
        return tuple(self._reported.values())

    def report(
        self,
        finding: Finding,
        *,
        may_raise: bool = True,
        at_creation: bool = False,
        again: bool = False,
        once_more: bool = False,
    ) -> None:
        """Reports a finding the first time its subject comes up, and adds to its count afterwards.

        Args:
            finding: What happened.
            may_raise: See ``send``.
            at_creation: Point at the line that created the writer: at exit no line of the user's is running.
            again: Report it although its subject was reported before: the sum at close.
            once_more: An exception of a handler's left the first try, which may have counted it.

        Raises:
            SafeWriterError: Of kind *error*, or under ``strict``.
        """
        if finding.code in self.policy.ignored and finding.kind is not Kind.ERROR:
            return
        finding = finding.at(self.created_at)
        counted = once_more and (finding.code, finding.subject) in self._reported
        known = None if counted else self._book(finding, again=again)
        if known is not None and again:
            finding = replace(finding, hint="")  # a sum: what to change was said when it was first reported
        if known is None or again or finding.kind is Kind.ERROR:
            place = self.place if at_creation else users_place()
            if not is_users(place.filename):  # an exit hook, or a thread of a framework's
                place = self.place
            send(finding, place, may_raise=may_raise, strict=self.policy.strict)

    def note(self, finding: Finding) -> None:
        """Keeps a finding for the account, which another desk reports, summed up with others."""
        self._book(finding.at(self.created_at))

    def error_from(self, build: Callable[[], Finding], fallback: BaseException) -> BaseException:
        """The exception for a finding that is raised whatever the policy: it is counted like one that is reported.

        Args:
            build: Builds the finding.
            fallback: What is raised, with SW901 reported, where that fails.
        """
        with self.guard("wording"):
            finding = build().at(self.created_at)
            self._book(finding)
            if CAPTURES.sink is not None:
                CAPTURES.sink(finding, users_place(), True)
            return error_for(finding)
        return fallback

    def _book(self, finding: Finding, *, again: bool = False) -> Finding | None:
        """Adds a finding to the counts; returns what was known of its subject before."""
        known = self._reported.setdefault((finding.code, finding.subject), finding)
        if known is finding:  # of several threads, one is the first
            return None
        self._left.append((finding, again))
        self._count_left()
        return known

    def _count_left(self) -> None:
        """Counts what is left. Who comes while another counts, in another thread or beneath, leaves it to that one."""
        while self._left and self._lock.acquire(blocking=False):
            try:
                while self._left:
                    finding, again = self._left.popleft()
                    key = (finding.code, finding.subject)
                    known = self._reported[key]
                    self._reported[key] = finding if again else replace(known, count=known.count + finding.count)
            finally:
                self._lock.release()

    def report_all(
        self, findings: Iterable[Finding], *, may_raise: bool = True, at_creation: bool = False, again: bool = False
    ) -> None:
        """Reports each as ``report`` does. Where more than one would be raised, the first is; the others are warned.

        Raises:
            SafeWriterError: The first that is raised.
        """
        raised: Exception | None = None
        due: list[partial[None]] = []
        call = partial(partial, self.report, at_creation=at_creation, again=again)
        try:
            # Without a line of Python between taking and keeping one, at which a handler could come.
            with suppress(IndexError):
                due.extend(iter(partial(self.unsaid.pop, 0), None))
            due.extend(map(call, findings))
            while due:
                report = due[0]
                try:
                    report(may_raise=may_raise and raised is None)
                except (SafeWriterError, SafeWriterWarning) as error:
                    raised = error
                del due[0]
        except BaseException as error:
            if not isinstance(error, Exception) or is_a_handlers(error):
                self.unsaid += [partial(each, once_more=True) for each in due]
            raise
        if raised is not None:
            raise raised

    def after_fork(self) -> None:
        """In a forked child: the thread that held the lock is not there, and what is unsaid is the parent's."""
        self._lock = threading.Lock()
        self.unsaid.clear()

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Runs a check of our own; a fault in it becomes SW901 and never reaches the training loop.

        What a signal handler of the user's raises in the middle of it is no fault: a time limit, for one.
        """
        try:
            yield
        except (SafeWriterError, SafeWriterWarning):
            raise
        except Exception as error:
            if is_a_handlers(error):
                raise
            self.internal(what)

    def internal(self, what: str) -> None:
        """Reports SW901 for the exception that is being handled."""
        text = traceback.format_exc()
        try:
            self.report(
                Finding(
                    "SW901",
                    f"A check of safewriter's own failed ({what}); the event still went its way.\n{text.rstrip()}",
                    "This is a fault in safewriter, not in your program: please report it with the lines above. "
                    "SAFEWRITER_IGNORE=SW901 silences it.",
                    subject=what,
                    data={"traceback": text},
                ),
                may_raise=False,
            )
        except Exception:  # noqa: BLE001 - reporting must not be what breaks the loop
            _print(text)


def guarded(desk: Desk, what: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check found; nothing, and SW901 reported, where the check itself failed."""
    with desk.guard(what):
        return list(check())
    return []

"""How ``tf.summary`` is used in this process, and what that says when a writer, or the program, ends.

``install()`` notes each call, and TF2 writers what they see by themselves. Nothing here knows TensorFlow.
"""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from safewriter.checks.tf2 import Lost, LostLine, baked_condition, captured_writer, lost_line, trace_not_exported
from safewriter.findings import Finding, Place, Policy, is_users, send
from safewriter.recording import scope
from safewriter.system import process

if TYPE_CHECKING:
    from safewriter.recording.eager import EagerEvents

Key = tuple[CodeType, int]  #: a line, without the cost of its name


@dataclass
class Line:
    """A line that called ``tf.summary`` and wrote nothing."""

    place: Place
    reason: Lost
    traced: bool = False
    created: str = ""
    thread: str = ""
    calls: int = 0
    told: bool = False  #: a writer that ended without a summary has named it

    def fact(self) -> LostLine:
        """What messages say of it."""
        return LostLine(str(self.place), self.reason, self.calls, self.traced, self.created, self.thread)


@dataclass
class _Asked:
    """The answers of one ``record_if`` line."""

    place: Place
    answers: Counter[bool] = field(default_factory=Counter)


@dataclass
class _Trace:
    """A function that was traced where the condition of ``record_if`` was a plain value."""

    key: Key
    place: Place
    value: bool
    events: weakref.ref[EagerEvents]
    condition: Callable[[], Any] | None = None  #: where it was a function: that can be asked again
    asked: _Asked | None = None  #: where it was a value: the line that gave it
    others_before: int = 0  #: how often that line had given the other value by then
    changed: bool = False

    def has_changed(self) -> bool:
        """Whether the condition has had another value since."""
        if not self.changed and self.condition is not None:
            now = self.condition()
            self.changed = isinstance(now, bool) and now is not self.value
        if not self.changed and self.asked is not None:
            self.changed = self.asked.answers[not self.value] > self.others_before
        return self.changed


@dataclass
class _Captured:
    """What functions wrote to another writer than the default one; each of the two as its directory and its line."""

    place: str
    other: tuple[str, str]
    default: tuple[str, str]
    events: int = 0
    said: int = 0

    def say(self) -> Finding:
        """SW309."""
        self.said = self.events
        return captured_writer(self.place, self.events, self.other, self.default)


class Usage:
    """What was seen of the calls of ``tf.summary``.

    Attributes:
        created: Where the newest TF2 writer of ours was created; None where there was none.
        policy: What becomes of findings that are no writer's.
        served: Lines that ever had a default writer: libraries write where one is.
        recorded: Those that also were not kept from recording.
        baked_steps: By tag: the line that writes it in a function whose step was a plain value when it was traced.
        traced_under: Writers that a function was traced under, each with the line of a summary in it.
        watched: Gives whether each call is looked at; set by ``install()``.
        trace: Gives whether a trace that ``trace_on`` began is still waiting for its export; set by who knows.
        trace_begun: The line that called ``trace_on``, where it is known.
        interrupted: A ``fit`` was interrupted, and its callback's writer closed.
    """

    def __init__(self) -> None:
        self.created: Place | None = None
        self.policy: Policy | None = None
        self.watched: Callable[[], bool] = lambda: False
        self.trace: Callable[[], bool] = lambda: False
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a forked child: what the parent lost is the parent's."""
        self.baked_steps: dict[str, Place] = {}
        self.traced_under: weakref.WeakKeyDictionary[EagerEvents, Place] = weakref.WeakKeyDictionary()
        self.trace_begun: Place | None = None
        self.interrupted = False
        self.served: set[Key] = set()
        self.recorded: set[Key] = set()
        self._lost: dict[Key, Line] = {}
        self._off: dict[Key, Line] = {}
        self._refused: weakref.WeakKeyDictionary[EagerEvents, dict[Key, Line]] = weakref.WeakKeyDictionary()
        self._asked: dict[Key, _Asked] = {}
        self._traces: list[_Trace] = []
        self._captured: weakref.WeakKeyDictionary[EagerEvents, dict[Hashable, _Captured]] = weakref.WeakKeyDictionary()

    # What is noted. Each is called with the line's key, and makes the rest where it is new.

    def lost(self, key: Key, make: Callable[[], Line]) -> None:
        """A line found no default writer."""
        _counted(self._lost, key, make)

    def switched_off(self, key: Key, events: EagerEvents, make: Callable[[], Line]) -> None:
        """Keras' callback kept a line from recording."""
        self._refused.setdefault(events, {})[key] = _counted(self._off, key, make)

    def refused(self, key: Key, events: EagerEvents, make: Callable[[], Line]) -> None:
        """A line found a default writer, and perhaps a condition that kept it from recording: it may be meant."""
        _counted(self._refused.setdefault(events, {}), key, make)

    def asked(self, key: Key, make_place: Callable[[], Place], value: bool) -> _Asked:
        """A line has called ``record_if`` with a plain value."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(make_place())
        asked.answers[value] += 1
        return asked

    def asked_by(self, condition: Callable[[], Any]) -> None:
        """``record_if`` was called with a function: one that a trace knows is asked whether it has changed."""
        code = getattr(condition, "__code__", None)
        for trace in self._traces:
            if not trace.changed and trace.condition is not None and trace.condition.__code__ is code:
                trace.condition = condition
                trace.has_changed()

    def traced(
        self,
        key: Key,
        place: Place,
        value: bool,
        events: EagerEvents,
        *,
        condition: Callable[[], Any] | None = None,
        asked: _Asked | None = None,
    ) -> None:
        """A summary in a function was traced where the condition of ``record_if`` was a plain value."""
        before = 0 if asked is None else asked.answers[not value]
        self._traces.append(_Trace(key, place, value, weakref.ref(events), condition, asked, before))

    # A function that writes into another writer than the default one.

    def sizes(self, but: EagerEvents) -> dict[EagerEvents, tuple[int, int]]:
        """Of each other open writer that only a function could write to now: the bytes of its file, and its use."""
        found: dict[EagerEvents, tuple[int, int]] = {}
        for ledger in scope.open_writers():
            events: Any = ledger.events
            if events is not but and getattr(events, "can_be_captured", False):
                found[events] = (events.backend.size, events.entered)
        return found

    def captured(self, default: EagerEvents, other: EagerEvents, more: int) -> list[Finding]:
        """SW309, the first time that a function wrote to another writer than the default one; counted on then."""
        place = self.traced_under.get(other)
        new = _Captured("" if place is None else str(place), _named(other), _named(default))
        known = self._captured.setdefault(default, {}).setdefault(other.ledger.key, new)
        known.events += more
        return [] if known.said else [known.say()]

    def captured_since(self, default: EagerEvents) -> list[Finding]:
        """The sums of what went on after it was reported."""
        return [known.say() for known in self._captured.get(default, {}).values() if known.events > known.said]

    # A writer ends, or a block of it.

    def settled(self, events: EagerEvents) -> list[Finding]:
        """SW310 for each function, traced under this writer, whose condition has changed since."""
        found = []
        for trace in [each for each in self._traces if each.events() is events]:
            if trace.key in self.recorded and not trace.value:
                continue  # traced once more, and recorded then
            if any(other.key == trace.key and other.value is not trace.value for other in self._traces):
                continue
            if trace.has_changed():
                self._traces.remove(trace)
                where = trace.asked.place if trace.asked is not None else _defined(trace.condition)
                found.append(baked_condition(str(trace.place), trace.value, "" if where is None else str(where)))
        self._traces = [each for each in self._traces if each.events() is not None]
        return found

    def causes(self, events: EagerEvents) -> list[LostLine]:
        """What is known of the lines that should have written to a writer that ended without a summary."""
        lines = list(self._refused.get(events, {}).values())
        lines += [line for key, line in self._lost.items() if key not in self.served]
        for line in lines:
            line.told = True
        return [line.fact() for line in lines]

    # The program ends.

    def report(self, broken_off: bool) -> None:
        """The program, or a capture, ends: each line that never wrote, where the program has a TF2 writer at all.

        Args:
            broken_off: An exception ended the program: what came before it may have been a beginning.
        """
        lost, self._lost = self._lost, {}
        off, self._off = self._off, {}
        if self.created is None or broken_off:
            return
        found = [(line.place, line) for key, line in lost.items() if key not in self.served]
        found += [(line.place, line) for key, line in off.items() if key not in self.recorded]
        said: list[tuple[Place, Finding]] = [
            (place, lost_line(line.fact()))
            for place, line in found
            if not line.told and is_users(place.filename) and not _in_a_library(place.filename)
        ]
        if self.trace():
            begun, self.trace_begun = self.trace_begun, None
            self.trace = lambda: False
            said.append((begun or self.created, trace_not_exported("" if begun is None else str(begun))))
        policy = self.policy or Policy.of()
        for where, finding in said:
            if finding.code not in policy.ignored:
                send(finding, where, may_raise=False)


def _counted(lines: dict[Key, Line], key: Key, make: Callable[[], Line]) -> Line:
    line = lines.get(key)
    if line is None:
        line = lines[key] = make()
    line.calls += 1
    return line


def _named(events: EagerEvents) -> tuple[str, str]:
    return events.ledger.logdir, events.ledger.desk.created_at


def _in_a_library(filename: str) -> bool:
    """Libraries write where a writer is, and where none is they mean nothing by it."""
    return "-packages" + os.sep in filename


def _defined(condition: Callable[[], Any] | None) -> Place | None:
    code = getattr(condition, "__code__", None)
    if code is None or not is_users(code.co_filename):
        return None
    return Place(code.co_filename, code.co_firstlineno)


USAGE = Usage()
scope.at_end.append(USAGE.report)
process.in_child(USAGE.begin_anew)

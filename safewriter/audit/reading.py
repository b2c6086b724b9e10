"""One event file: its records, its events, and what the judges of values say of them."""

from __future__ import annotations

import copy
import os
import struct
import sys
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from math import isfinite
from typing import IO, Any

from safewriter.audit.walking import Stamp, open_event_file, stamp_of
from safewriter.checks.file import FileFacts, TagFacts
from safewriter.checks.values import DOUBLE, FLOAT, ValuesJudge
from safewriter.eventfile.messages import START, NotAnEventError, parse_event
from safewriter.eventfile.read import RecordReader
from safewriter.eventfile.record import HEADER, masked_crc
from safewriter.findings import Finding

LOOK_AGAIN = 0.2  #: seconds after which the unfinished end of a young file is looked at again
YOUNG = 150.0  #: seconds since it was last changed: the stock writer flushes every 120

_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_SHORTEST = 20  # bytes of an event with a step and one scalar
_SHAPES = 1 << 16  # kinds of scalar events that are remembered
_ROUNDS = 3  # how often the end of a file that grows is looked at again
TICK = 2.0  #: seconds: the coarsest clock of a file system


class _Series:
    """What the audit keeps of a tag beside what the judge does."""

    __slots__ = ("first_time", "last", "points", "state", "stride", "until_next")

    def __init__(self, state: Any, time: float) -> None:
        self.state = state
        self.first_time = time
        self.last: float | bytes = time  # wall time of the last value, or the event it is in
        self.points: list[float] = []
        self.stride = 1
        self.until_next = 1

    @property
    def last_time(self) -> float:
        if isinstance(self.last, bytes):
            (seconds,) = _DOUBLE.unpack_from(self.last, 1)
            return float(seconds)
        return self.last

    def keep(self, number: float, most: int) -> None:
        """Keeps one in so many numbers, so that they are spread evenly and never more than twice as many as wanted."""
        self.until_next -= 1
        if self.until_next:
            return
        if len(self.points) >= 2 * most:
            self.points = self.points[::2]
            self.stride *= 2
        self.points.append(number)
        self.until_next = self.stride


class FileAuditor:
    """Audits one file, can say at any time what it has found so far, and reads on when the file has grown.

    Args:
        path: A path or a URL.
        points: How many of each scalar's values to keep, at most, for a small chart.
        follow: Keep what it takes to read on at any later time, also when the file may have been replaced by then.

    Attributes:
        stamp: Of the file as it was last read; None for a remote one.
        sure: Whether a later change of the file is sure to show in its stamp.
    """

    def __init__(self, path: str, points: int = 0, follow: bool = False) -> None:
        self.path = path
        self.stamp: Stamp | None = None
        self.sure = False
        self._most_points = points
        self._follow = follow
        self._began = 0.0
        self._start()

    def _start(self) -> None:
        self._judge = ValuesJudge()
        self._series: dict[str, _Series] = {}
        # Bytes between the step and the number of events that were parsed before: see ``_remember``.
        self._shapes: dict[bytes, _Series] = {}
        self._reader: RecordReader | None = None
        self._fingerprint = 0
        self._complete = False
        self._error: tuple[str, int | None] | None = None
        self._written = False
        self._begins = "nothing"
        self._others = 0  # events without a summary
        self._graphs = 0
        self._versions = 0
        self._starts: list[int] = []
        self._first_time: float | None = None
        self._last: bytes = b""

    def read(self) -> Iterator[int]:
        """Reads the file on, or from its beginning where it is no longer the same; yields offsets on the way.

        What goes wrong with it becomes part of the facts.
        """
        self._began = time.monotonic()
        try:
            file = open_event_file(self.path)
        except ImportError:
            raise
        except Exception as error:  # noqa: BLE001 - each kind of remote file system has errors of its own
            self._start()
            self._fail(error)
            return
        try:
            with file:
                before = _stamp(file)
                if not self._goes_on(file, before):
                    self._start()
                yield from self.read_from(file)
                self._complete = True
                self.stamp = _stamp(file)
                self.sure = before is not None and self.stamp == before and before.age > TICK
                self._written = self._written and self.undecided
                if self._follow and self._reader is not None:
                    self._fingerprint = self._reader.fingerprint()
        except Exception as error:  # noqa: BLE001 - the trouble of one file is no reason to leave out the others
            self._fail(error)

    def read_from(self, file: IO[bytes]) -> Iterator[int]:
        """Reads an open file on to its end; yields offsets on the way."""
        reader = self._reader
        if reader is None:
            reader = self._reader = RecordReader(file)
            file.seek(0)  # a comparison with what was read before has moved it
            self._begins = _beginning(file.read(HEADER.size))
        else:
            reader.reopen(file)
        for batch in reader.batches():
            if self._first_time is None:
                kind, self._first_time = _kind_and_time(batch[0])
                self._begins = "damage" if reader.damages else kind
            self._take(batch, reader)
            yield reader.offset
        reader.reopen(file)  # no buffer is kept

    def _fail(self, error: Exception) -> None:
        self._complete = True
        if isinstance(error, OSError):
            self._error = (error.strerror or str(error), error.errno)
        else:
            self._error = (f"{type(error).__name__}: {error}", None)

    # Reading on

    def _goes_on(self, file: IO[bytes], now: Stamp | None) -> bool:
        """Whether all that was read and decided of the file still holds, as far as it can be seen."""
        reader = self._reader
        if reader is None or self._error is not None or not reader.records:
            return False
        if not self._follow:  # a second look, a moment after the first
            return True
        if now is None or self.stamp is None or now[:2] != self.stamp[:2] or now.size < reader.size:
            return False
        if reader.unsettled if now.size > reader.size else now != self.stamp:
            return False
        reader.reopen(file)
        return reader.fingerprint() == self._fingerprint

    # Is it being written?

    @property
    def undecided(self) -> bool:
        """Whether it matters that the file may be on its way: it has an unfinished end, or no summary."""
        return self._error is None and self._reader is not None and bool(self._reader.torn or not self._summaries())

    def settle(self, held: Callable[[], Container[tuple[int, int]]]) -> FileFacts:
        """The facts, once it is known whether the file is being written: an unfinished end is then on its way.

        Args:
            held: Returns device and inode of each event file that is open for writing.
        """
        grew = False
        for _ in range(_ROUNDS):
            reader = self._reader
            if self._error is not None or reader is None or not (reader.torn or not reader.offset):
                break
            size = reader.size
            if not grew and (self.stamp is None or abs(time.time() - self.stamp.modified / 1e9) < YOUNG):
                time.sleep(max(0.0, self._began + LOOK_AGAIN - time.monotonic()))
            for _ in self.read():
                pass
            if self._reader is None or self._reader.size <= size:
                break
            grew = True
        self._written = grew or (self.stamp is not None and self.stamp[:2] in held())
        return self.facts()

    # What was found

    def _summaries(self) -> int:
        return (self._reader.records if self._reader else 0) - self._others

    def facts(self) -> FileFacts:
        """What was found so far."""
        error, number = self._error or (None, None)
        reader = self._reader
        if reader is None:
            return FileFacts(self.path, complete=self._complete, error=error, errno=number)
        return FileFacts(
            self.path,
            bytes=reader.size,
            events=reader.records,
            summaries=self._summaries(),
            graphs=self._graphs,
            versions=self._versions,
            begins="other" if self._first_time is not None and not reader.records else self._begins,
            first_time=self._first_time or 0.0,
            last_time=_kind_and_time(self._last)[1] if self._last else 0.0,
            starts=tuple(self._starts),
            tags={sys.intern(tag): _tag_facts(series) for tag, series in self._series.items()},
            damages=tuple(reader.damages),
            damaged=reader.damaged,
            skipped=reader.skipped,
            shown=reader.damages[0].before if reader.damages else reader.records,
            torn=reader.torn,
            being_written=self._written,
            complete=self._complete,
            error=error,
            errno=number,
            values=self._judged(),
        )

    def _judged(self) -> tuple[Finding, ...]:
        judge = self._judge
        if self._follow:  # summing up ends a judge's work, and this one's goes on
            judge = copy.deepcopy(judge, {id(judge.tags): judge.tags})
        return tuple(replace(finding, path=self.path) for finding in judge.sum_up(everything=True))

    # The events

    def _take(self, batch: list[bytes], reader: RecordReader) -> None:
        """Judges the events of a batch. The speed of an audit depends on this loop.

        A scalar event that differs from one that was parsed only in its time, step and number is not parsed again.
        """
        series_of, number_at, slow = self._shapes.get, _FLOAT.unpack_from, self._event
        most = self._most_points
        for index, data in enumerate(batch):
            if len(data) > _SHORTEST and data[0] == 0x09 and data[9] == 0x10:
                step = data[10]
                if step < 0x80:
                    shape = data[11:-4]
                elif data[11] < 0x80:
                    step += (data[11] << 7) - 0x80
                    shape = data[12:-4]
                elif data[12] < 0x80:
                    step += (data[11] << 7) + (data[12] << 14) - 0x4080
                    shape = data[13:-4]
                elif data[13] < 0x80:
                    step += (data[11] << 7) + (data[12] << 14) + (data[13] << 21) - 0x204080
                    shape = data[14:-4]
                else:
                    shape = b""
                series = series_of(shape)
                if series is not None:
                    state = series.state
                    # The last byte holds all but one bit of the exponent, which is all ones in NaN and Inf.
                    if step > state.last and data[-1] & 0x7F != 0x7F:
                        state.last = step
                        state.same = 1
                        state.count += 1
                        series.last = data
                        if most:
                            series.keep(number_at(data, len(data) - 4)[0], most)
                        continue
            if not slow(data):
                reader.reject(index)
        self._last = batch[-1]

    def _event(self, data: bytes) -> bool:
        """Judges any event; False where the bytes are none."""
        try:
            event = parse_event(data)
        except NotAnEventError:
            return False
        what = event.WhichOneof("what")
        if what != "summary":
            self._others += 1
            if what == "session_log" and event.session_log.status == START:
                self._starts.append(event.step)
                self._judge.restart(event.step)
            elif what == "file_version":
                self._versions += 1
            elif what in ("graph_def", "meta_graph_def"):
                self._graphs += 1
            return True
        summary, step, seconds = event.summary, event.step, event.wall_time
        self._judge.observe(summary, step)
        values = summary.value
        for value in values:
            tag = value.tag
            if tag not in self._series:
                self._series[tag] = _Series(self._judge.tags[tag], seconds)
            series = self._series[tag]
            series.last = seconds
            if self._most_points and series.state.kind == "scalar":
                number = number_of(value)
                if number is not None and isfinite(number):
                    series.keep(number, self._most_points)
        if not values:
            self._others += 1
        elif len(values) == 1 and series.state.plain and len(self._shapes) < _SHAPES:
            self._remember(data, tag.encode(), series)
        return True

    def _remember(self, data: bytes, tag: bytes, series: _Series) -> None:
        """Remembers the bytes between the step and the number of a scalar event, when they are as writers make them."""
        value = b"\x0a" + _varint(len(tag)) + tag + b"\x15"  # Value: tag, then simple_value, whose four bytes follow
        summary = b"\x0a" + _varint(len(value) + 4) + value
        shape = b"\x2a" + _varint(len(summary) + 4) + summary
        if data.endswith(shape, 0, len(data) - 4):
            self._shapes[shape] = series


def _tag_facts(series: _Series) -> TagFacts:
    state = series.state
    return TagFacts(
        kind=state.kind,
        count=state.count,
        first_step=state.first,
        last_step=state.last,
        lowest_step=state.low,
        highest_step=state.highest,
        first_time=series.first_time,
        last_time=series.last_time,
        not_finite=state.not_finite,
        points=tuple(series.points),
    )


def number_of(value: Any) -> float | None:
    """The number of a scalar, in one of the encodings that writers use for it; else None."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    tensor = value.tensor
    for dtype, number, numbers in ((FLOAT, _FLOAT, tensor.float_val), (DOUBLE, _DOUBLE, tensor.double_val)):
        if tensor.dtype == dtype:
            if len(tensor.tensor_content) >= number.size:
                return float(number.unpack_from(tensor.tensor_content)[0])
            return float(numbers[0]) if numbers else None
    return None


def _beginning(head: bytes) -> str:
    """What a file is by its first bytes alone: empty, damaged (until a record is read) or something other."""
    if not head:
        return "nothing"
    if len(head) < HEADER.size:
        return "other" if any(head[4:8]) else "damage"
    _, crc = HEADER.unpack(head)
    return "damage" if masked_crc(head[:8]) == crc else "other"


def _kind_and_time(data: bytes) -> tuple[str, float]:
    """What the first record makes of a file, and the wall time of an event."""
    try:
        event = parse_event(data)
    except NotAnEventError:
        return "damage", 0.0
    return "version" if event.WhichOneof("what") == "file_version" else "event", float(event.wall_time)


def _stamp(file: IO[bytes]) -> Stamp | None:
    try:
        return stamp_of(os.fstat(file.fileno()))
    except (OSError, AttributeError):  # a remote file
        return None


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))

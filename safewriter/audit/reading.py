"""One event file: its records, its events, and what the judges of values say of them."""

from __future__ import annotations

import os
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from math import isfinite, nan
from typing import IO, Any

from safewriter.audit.held import is_held
from safewriter.audit.report import AuditReport
from safewriter.audit.walking import is_remote, open_event_file
from safewriter.checks.file import FileFacts, TagFacts
from safewriter.checks.values import DOUBLE, FLOAT, ValuesJudge
from safewriter.eventfile.messages import START, NotAnEventError, parse_event
from safewriter.eventfile.read import PLACES, Damage, RecordReader
from safewriter.eventfile.record import HEADER, OVERHEAD, masked_crc
from safewriter.findings import Finding

LOOK_AGAIN = 0.2  #: seconds after which the unfinished end of a young file is looked at again
YOUNG = 150.0  #: seconds since it was last changed: the stock writer flushes every 120

_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_SHORTEST = 20  # bytes of an event with a step and one scalar
_SHAPES = 1 << 16  # kinds of scalar events that are remembered
_ROUNDS = 3  # how often the end of a file that grows is gone after


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
    """Audits one file, and can tell at any time what it has found so far.

    Args:
        path: A path or a URL.
        points: How many of each scalar's values to keep, at most, for a small chart.
        progress: Called with the number of bytes read, now and then.
    """

    def __init__(self, path: str, points: int = 0, progress: Callable[[int], None] | None = None) -> None:
        self.path = path
        self._most_points = points
        self._progress = progress
        self._judge = ValuesJudge()
        self._series: dict[str, _Series] = {}
        # Bytes between the step and the number of events that were parsed before: see ``_remember``.
        self._shapes: dict[bytes, _Series] = {}
        self._reader: RecordReader | None = None
        self._facts = FileFacts(path, complete=False)
        self._begins = "nothing"
        self._others = 0  # whole records without a summary
        self._graphs = 0
        self._versions = 0
        self._starts: list[int] = []
        self._no_events: list[Damage] = []
        self._no_event_count = 0
        self._no_event_bytes = 0
        self._first_time: float | None = None
        self._last: bytes = b""

    def run(self) -> FileFacts:
        """Reads the file to its end. What goes wrong with it becomes part of the facts."""
        try:
            with open_event_file(self.path) as file:
                began = time.monotonic()
                self._read(file)
                written = self._is_written(file, began)
        except OSError as error:
            return self._unreadable(error.strerror or str(error), error.errno)
        except ImportError:
            raise
        except Exception as error:
            if not is_remote(self.path):
                raise
            # Each kind of remote file system has errors of its own.
            return self._unreadable(f"{type(error).__name__}: {error}", None)
        self._facts = replace(self._facts, complete=True, being_written=written)
        return self.facts()

    def _unreadable(self, error: str, number: int | None) -> FileFacts:
        self._facts = replace(self._facts, complete=True, error=error, errno=number)
        return self.facts()

    def facts(self) -> FileFacts:
        """What was found so far."""
        reader = self._reader
        if reader is None:
            return self._facts
        damages = sorted([*reader.damages, *self._no_events], key=lambda damage: damage.offset)
        events = reader.records - self._no_event_count
        return replace(
            self._facts,
            bytes=reader.size,
            events=events,
            summaries=events - self._others,
            graphs=self._graphs,
            versions=self._versions,
            begins="other" if self._no_event_count and not events else self._begins,
            first_time=self._first_time or 0.0,
            last_time=_wall_time(self._last),
            starts=tuple(self._starts),
            tags={sys.intern(tag): _tag_facts(series) for tag, series in self._series.items()},
            damages=tuple(damages[:PLACES]),
            damaged=reader.damaged + self._no_event_count,
            skipped=reader.skipped + self._no_event_bytes,
            shown=damages[0].before if damages else events,
            torn=reader.torn,
            values=self._judged(),
        )

    def _judged(self) -> tuple[Finding, ...]:
        return tuple(replace(finding, path=self.path) for finding in self._judge.sum_up(everything=True))

    # Reading

    def _read(self, file: IO[bytes]) -> None:
        reader = self._reader = RecordReader(file)
        self._begins = _beginning(file.read(HEADER.size))
        self._read_on(reader)

    def _read_on(self, reader: RecordReader) -> None:
        for batch in reader.batches():
            if self._first_time is None:
                self._begin(batch[0], reader)
            self._take(batch, reader)
            if self._progress is not None:
                self._progress(reader.offset)

    def _begin(self, data: bytes, reader: RecordReader) -> None:
        self._first_time = _wall_time(data)
        self._begins = "damage" if reader.damages else _kind_of_first(data)

    def _is_written(self, file: IO[bytes], began: float) -> bool:
        """Whether the file is being written. An unfinished record at its end is then one that is on its way."""
        reader = self._reader
        assert reader is not None
        if not reader.torn and self._others < reader.records:
            return False
        grew = False
        for _ in range(_ROUNDS):
            if not reader.torn and reader.offset:
                break
            size = reader.offset + reader.torn
            if not grew and self._is_young(file):
                time.sleep(max(0.0, began + LOOK_AGAIN - time.monotonic()))
            self._read_on(reader)
            if reader.offset + reader.torn <= size:
                break
            grew = True
        return grew or (not is_remote(self.path) and is_held(self.path))

    def _is_young(self, file: IO[bytes]) -> bool:
        try:
            return abs(time.time() - os.fstat(file.fileno()).st_mtime) < YOUNG
        except (OSError, AttributeError):  # a remote file
            return True

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
                self._no_event(batch, index, reader)
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
            self._other_event(event, what)
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
            if self._most_points and series.state.kind == "scalar" and isfinite(number := _number(value)):
                series.keep(number, self._most_points)
        if not values:
            self._others += 1
        elif len(values) == 1 and series.state.plain and len(self._shapes) < _SHAPES:
            self._remember(data, tag.encode(), series)
        return True

    def _other_event(self, event: Any, what: str | None) -> None:
        if what == "session_log" and event.session_log.status == START:
            self._starts.append(event.step)
            self._judge.restart(event.step)
        elif what == "file_version":
            self._versions += 1
        elif what in ("graph_def", "meta_graph_def"):
            self._graphs += 1

    def _remember(self, data: bytes, tag: bytes, series: _Series) -> None:
        """Remembers the bytes between the step and the number of a scalar event, when they are as writers make them."""
        value = b"\x0a" + _varint(len(tag)) + tag + b"\x15"  # Value: tag, then simple_value, whose four bytes follow
        summary = b"\x0a" + _varint(len(value) + 4) + value
        shape = b"\x2a" + _varint(len(summary) + 4) + summary
        if data.endswith(shape, 0, len(data) - 4):
            self._shapes[shape] = series

    def _no_event(self, batch: list[bytes], index: int, reader: RecordReader) -> None:
        self._no_event_count += 1
        length = len(batch[index]) + OVERHEAD
        self._no_event_bytes += length
        if len(self._no_events) < PLACES:
            behind = sum(len(data) + OVERHEAD for data in batch[index:])
            before = reader.records - len(batch) + index - self._no_event_count + 1
            self._no_events.append(Damage(reader.offset - behind, length, "the record holds no event", before))


def audit_file(path: Any, points: int = 0) -> AuditReport:
    """Audits one event file.

    Pure, and what it returns pickles: run it on as many machines as there are, and join the reports with
    ``AuditReport.merge``.

    Args:
        path: A path (str, bytes or PathLike), or a URL that fsspec understands.
        points: How many of each scalar's values to keep, at most about twice, in ``TagFacts.points``.

    Returns:
        The report. A file that can't be read is a finding in it.

    Raises:
        ImportError: For a URL: fsspec, or its plug-in for this kind of URL, is missing.
    """
    return AuditReport(files=(FileAuditor(os.fsdecode(path), points).run(),))


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


def _number(value: Any) -> float:
    """The number of a scalar, in one of the encodings that writers use for it; else NaN."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    tensor = value.tensor
    content = tensor.tensor_content
    if tensor.dtype == FLOAT:
        return float(_FLOAT.unpack_from(content)[0]) if len(content) >= 4 else float(next(iter(tensor.float_val), nan))
    if tensor.dtype == DOUBLE:
        return (
            float(_DOUBLE.unpack_from(content)[0]) if len(content) >= 8 else float(next(iter(tensor.double_val), nan))
        )
    return nan


def _beginning(head: bytes) -> str:
    """What a file is by its first bytes alone: empty, damaged (until a record is read) or something other."""
    if not head:
        return "nothing"
    if len(head) < HEADER.size:
        return "other" if any(head[4:8]) else "damage"
    _, crc = HEADER.unpack(head)
    return "damage" if masked_crc(head[:8]) == crc else "other"


def _wall_time(data: bytes) -> float:
    try:
        return float(parse_event(data).wall_time) if data else 0.0
    except NotAnEventError:
        return 0.0


def _kind_of_first(data: bytes) -> str:
    try:
        return "version" if parse_event(data).WhichOneof("what") == "file_version" else "event"
    except NotAnEventError:
        return "damage"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))

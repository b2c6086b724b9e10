"""Reading records: whole ones, checked; damaged ones, stepped over; the end, looked at twice.

A reader trusts nothing that a file says about itself. A length is believed once its checksum is correct and the file is
long enough to hold it, so that a lie costs no memory; what follows a damaged record is searched for the next record
whose two checksums are correct, at a cost that grows with the file's size and no faster.

TensorFlow's and TensorBoard's readers stop at the first damaged record (``tensorflow/core/lib/io/record_reader.cc``).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import google_crc32c

from safewriter.eventfile.messages import NotAnEventError, parse_event
from safewriter.eventfile.record import FOOTER, HEADER, MASK_DELTA, OVERHEAD, masked, masked_crc

CHUNK: Final = 1 << 17  #: bytes that are read at a time; with their records they fit into a processor's cache
BIG: Final = 16 << 20  #: records above this are read piece by piece
PLACES: Final = 100  #: damaged places that are listed; more are counted

_WINDOW = 1 << 17  # bytes at each end of what was read that its fingerprint covers
_DAMAGE_WINDOW = 1 << 12  # and at each end of a damaged place

_ZEROS = re.compile(rb"\x00{4,}")
_NO_HEADER = bytes(HEADER.size)
_KNOWN_HEADERS = 4096
_SUMMARY_FIELD = 5  # Event.summary
_REASONS = {
    "zeros": "zeros where a record should start",
    "length": "the checksum of its length is wrong",
    "data": "the checksum of its data is wrong",
    "overlap": "it runs into the records behind it",
    "event": "the record holds no event",
}


@dataclass(frozen=True)
class Damage:
    """A place in a file that no record can be read from.

    Attributes:
        offset: Where the damaged record starts, in bytes.
        length: Bytes from there to the next whole record, or to the end of the file.
        reason: What is wrong with it, for the message.
        before: Whole records between the start of the reading and this place.
        salvage: Offset and length of data within whose own checksum is correct, the header's not; else None.
    """

    offset: int
    length: int
    reason: str
    before: int
    salvage: tuple[int, int] | None = None


class RecordReader:
    """Reads the records of a file and notes what is wrong with it.

    Args:
        file: A binary file that can seek.
        start: Offset of a record to begin at.
        resume: Go on behind a damaged record, where a next one can be found; else stop before it.
        places: How many damaged places to list.
        chunk: Bytes that are read at a time.

    Attributes:
        offset: Where the next record is expected: all before it was read or stepped over.
        batch_offset: Where the first record of the last batch starts.
        size: Bytes in the file, as last seen.
        records: Whole records so far, but for those that were rejected.
        damages: The first damaged places.
        damaged: How many there were.
        skipped: Bytes in them.
        torn: Bytes at the end of the file that are the beginning of a record; 0 where it ends with a whole one.
        unsettled: Where a damaged place ends was decided by where the file ends: what is appended may change it.
    """

    def __init__(
        self, file: IO[bytes], start: int = 0, resume: bool = True, places: int = PLACES, chunk: int = CHUNK
    ) -> None:
        self._file = file
        self._chunk = chunk
        self._resume = resume
        self._places = places
        self._buffer = b""
        self._at = 0  # in the buffer: the byte at ``offset``
        self._known: dict[bytes, int] = {}  # headers with a correct checksum, and the length that each holds
        self._wanted = HEADER.size  # bytes from ``offset`` on that the next record needs at least
        self._fault = ""  # what is wrong with the record at ``offset``
        self._batch: list[bytes] = []  # the last one
        self._in_vain = 0  # bytes whose checksum turned out wrong
        self.offset = self.batch_offset = start
        self.size = 0
        self.records = 0
        self.damages: list[Damage] = []
        self.damaged = 0
        self.skipped = 0
        self.torn = 0
        self.unsettled = False

    def reopen(self, file: IO[bytes]) -> None:
        """Goes on in the same file, opened again; what was read ahead of the next record is dropped."""
        self._file = file
        self._buffer, self._at, self._batch = b"", 0, []

    def fingerprint(self) -> int:
        """A checksum of both ends of what was read, and of each damaged place in it."""
        spans = [(0, self.offset, _WINDOW)]
        spans += [(damage.offset, damage.offset + damage.length, _DAMAGE_WINDOW) for damage in self.damages]
        checksum = 0
        for start, stop, window in spans:
            for at in (start, max(stop - window, start + window)):
                if at < stop:
                    checksum = google_crc32c.extend(checksum, self._read(at, min(window, stop - at)))
        return checksum

    def batches(self) -> Iterator[list[bytes]]:
        """The data of whole records, a chunk's worth at a time, up to the end of the file as it is when it is reached.

        Call it again to look for what was appended since. A record above ``BIG`` that holds no summary (a graph) is
        shortened to the event without it.
        """
        self.torn = 0
        while True:
            read_on = self._fill()
            batch = self._take()
            if batch:
                self._batch = batch
                yield batch
            if self._fault:
                if not self._step_over():
                    return
            elif not self._fits(self._wanted):
                self._fault = "overlap"
                if not self._left() or not self._step_over():
                    self.torn = self._left()
                    return
            elif self._wanted > BIG:
                data = self._take_big()
                if data is not None:
                    self._batch = [data]
                    yield self._batch
                elif not self._step_over():
                    return
            elif not read_on and not batch:  # it shrank since we looked
                self.torn = self._rest()
                return

    def placed(self) -> Iterator[tuple[int, bytes]]:
        """The same, one record at a time, each with the offset that it starts at."""
        for batch in self.batches():
            at = self.batch_offset
            for data in batch:
                yield at, data
                at += len(data) + OVERHEAD

    def reject(self, index: int) -> None:
        """Counts a record of the last batch as damaged: its checksum is correct, and its data no event."""
        at = self.batch_offset + sum(len(data) + OVERHEAD for data in self._batch[:index])
        before = self.records - len(self._batch) + index
        self.records -= 1
        self._list(Damage(at, len(self._batch[index]) + OVERHEAD, _REASONS["event"], before))

    # One record after the other

    def _rest(self) -> int:
        return len(self._buffer) - self._at

    def _left(self) -> int:
        return max(self.size - self.offset, 0)

    def _fits(self, size: int) -> bool:
        """Whether the file holds so many bytes from ``offset`` on; it may have grown since it was last seen."""
        if self.offset + size > self.size:
            self.size = self._file.seek(0, io.SEEK_END)
        return self.offset + size <= self.size

    def _read(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or as many as there are."""
        self._file.seek(offset)
        data: bytes = self._file.read(size) or b""
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        return data

    def _fill(self) -> bool:
        """Reads on, at least as far as the next record needs; False at the end of the file."""
        rest = self._rest()
        if rest >= self._wanted or self._wanted > BIG:
            return True
        chunk = self._read(self.offset + rest, max(self._chunk, self._wanted - rest))
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _take(self) -> list[bytes]:
        """The whole records in the buffer. The speed of an audit depends on this loop."""
        buffer, at, end = self._buffer, self._at, len(self._buffer)
        known, crc32c, unpack = self._known, google_crc32c.value, FOOTER.unpack_from
        header_size, mask_delta = HEADER.size, MASK_DELTA
        batch: list[bytes] = []
        keep = batch.append
        wanted, fault = header_size, ""
        while True:
            start = at + header_size
            if start > end:
                break
            length = known.get(buffer[at:start])
            if length is None:
                length = self._length_in(buffer[at:start])
                if length is None:
                    fault = "zeros" if buffer[at:start] == _NO_HEADER else "length"
                    break
            stop = start + length
            if stop + 4 > end:
                wanted = length + OVERHEAD
                break
            data = buffer[start:stop]
            crc = crc32c(data)
            if ((crc >> 15 | crc << 17) + mask_delta) & 0xFFFFFFFF != unpack(buffer, stop)[0]:
                wanted, fault = length + OVERHEAD, "data"
                break
            keep(data)
            at = stop + 4
        self.batch_offset = self.offset
        self.offset += at - self._at
        self._at = at
        self.records += len(batch)
        self._wanted, self._fault = wanted, fault
        return batch

    def _length_in(self, header: bytes) -> int | None:
        """The length that a header holds, or None where its checksum is wrong."""
        length: int
        length, crc = HEADER.unpack(header)
        if masked_crc(header[:8]) != crc:
            return None
        if len(self._known) < _KNOWN_HEADERS:
            self._known[header] = length
        return length

    def _take_big(self) -> bytes | None:
        """A record that is too big to be held twice: checked in pieces, and held only if it is a summary."""
        start, length = self.offset + HEADER.size, self._wanted - OVERHEAD
        if not self._is_intact(start, length):
            self._fault = "data"
            return None
        data = shortened(self._read(start, 1 << 16)) or self._read(start, length)
        self.batch_offset = self.offset
        self._move(self.offset + self._wanted)
        self.records += 1
        return data

    def _is_intact(self, start: int, length: int) -> bool:
        """Whether data has the checksum that follows it."""
        crc, at, stop = 0, start, start + length
        while at < stop:
            chunk = self._read(at, min(stop - at, CHUNK))
            if not chunk:
                return False
            crc = google_crc32c.extend(crc, chunk)
            at += len(chunk)
        footer = self._read(stop, FOOTER.size)
        return len(footer) == FOOTER.size and FOOTER.unpack(footer)[0] == masked(crc)

    def _move(self, offset: int) -> None:
        step = offset - self.offset
        if step <= self._rest():
            self._at += step
        else:
            self._buffer, self._at = b"", 0
        self.offset = offset
        self._wanted, self._fault = HEADER.size, ""

    # Behind a damaged record

    def _step_over(self) -> bool:
        """Notes the damaged record at ``offset`` and goes to the next whole one; False where there is none.

        One that seems to run past the end is damaged where whole records follow it, and else torn.
        """
        if not self._resume:
            return False
        self.size = self._file.seek(0, io.SEEK_END)
        in_vain, unsettled = self._in_vain, self.unsettled
        behind = None
        if self._fault == "data":
            self._in_vain += self._wanted
            if self._is_whole(self.offset + self._wanted):
                behind = self.offset + self._wanted
        if behind is None:
            behind = self._search(self.offset + 1)
        if self._fault == "overlap":
            if behind is None:  # nothing was decided, so that the next look begins as this one did
                self._in_vain, self.unsettled = in_vain, unsettled
                return False
            self.unsettled = True
        self.unsettled |= behind is None
        self._note(self.size if behind is None else behind)
        return behind is not None

    def _note(self, behind: int) -> None:
        salvage = None
        start, length = self.offset + HEADER.size, behind - self.offset - OVERHEAD
        # A damaged header may stand before data that is intact.
        if len(self.damages) < self._places and 0 < length <= BIG and self._is_intact(start, length):
            salvage = (start, length)
        self._list(Damage(self.offset, behind - self.offset, _REASONS[self._fault], self.records, salvage))
        self._move(behind)

    def _list(self, damage: Damage) -> None:
        self.damaged += 1
        self.skipped += damage.length
        if len(self.damages) < self._places:
            self.damages.append(damage)

    def _is_whole(self, offset: int, header: bytes = b"") -> bool:
        """Whether a whole record, or nothing more, is at this offset."""
        if offset == self.size:
            self.unsettled = True
            return True
        header = header or self._read(offset, HEADER.size)
        length = self._length_in(header) if len(header) == HEADER.size else None
        if length is not None and offset + length + OVERHEAD > self.size:
            self.unsettled = True
            return False
        if length is None or self._is_spent():
            return False
        if self._is_intact(offset + HEADER.size, length):
            return True
        self._in_vain += length
        return False

    def _is_spent(self) -> bool:
        """Whether more was checked in vain than any accident explains: a file that is made to be searched for ever."""
        return self._in_vain > 4 * self.size + BIG

    def _search(self, offset: int) -> int | None:
        """The offset of the next record, from this one on, whose two checksums are correct."""
        self.size = self._file.seek(0, io.SEEK_END)
        step = 4096  # most often the next record is near
        while offset + HEADER.size <= self.size and not self._is_spent():
            window = self._read(offset, step)
            for place in _candidates(window):
                header = window[place : place + HEADER.size]
                if self._length_in(header) is not None and self._is_whole(offset + place, header):
                    return offset + place
            if len(window) < HEADER.size:  # it shrank
                return None
            offset += len(window) - HEADER.size + 1
            step = min(2 * step, CHUNK)
        return None


def _candidates(window: bytes) -> Iterator[int]:
    """Places where a header may start: a length below 4 GiB has four zero bytes behind its low half."""
    last = len(window) - HEADER.size
    for run in _ZEROS.finditer(window):
        start, stop = run.span()
        # No length of zero has a checksum of zeros, so the inside of a long run of zeros starts no header.
        for place in (*range(max(start - 4, 0), min(start, stop - 7)), *range(max(start, stop - 11), stop - 7)):
            if place <= last:
                yield place


def shortened(head: bytes) -> bytes:
    """An event without its big part, from the beginning of its bytes; empty where it holds a summary or is none.

    Writers store the fields of an event in the order of their numbers: wall time, step, and one thing more.
    """
    at = 0
    while at < len(head):
        key = head[at]
        if key & 7 == 1:
            at += 9
        elif key & 7 == 0:
            while at + 1 < len(head) and head[at + 1] & 0x80:
                at += 1
            at += 2
        elif key & 7 == 2 and key >> 3 != _SUMMARY_FIELD:
            return head[:at] + bytes((key, 0)) if key < 0x80 else b""
        else:
            return b""
    return b""


@contextmanager
def _opened(source: Any) -> Iterator[IO[bytes]]:
    """A binary file for a path, or the open file that is given, which stays open."""
    if hasattr(source, "read"):
        yield source
        return
    with open(os.fspath(source), "rb", buffering=0) as file:
        yield file


def count_records(source: Any, start: int = 0) -> tuple[int, int]:
    """How many whole, valid records a file holds from an offset on, up to its end or the first damaged one.

    Args:
        source: A path, or an open binary file, whose position is lost.
        start: Offset of the first record.

    Returns:
        The number of records and the offset behind the last of them.

    Raises:
        OSError: The file can't be read.
    """
    with _opened(source) as file:
        reader = RecordReader(file, start, resume=False)
        for _ in reader.batches():
            pass
        return reader.records, reader.offset


def records_in_common(ours: IO[bytes], path: str) -> tuple[int, int]:
    """How many whole records two files begin with alike, and the offset behind the last of them.

    Args:
        ours: Open for reading; its position is lost.
        path: Of the other file.

    Raises:
        OSError: One of them can't be read.
    """
    records = end = 0
    with open(path, "rb") as other:
        readers = (RecordReader(file, resume=False).placed() for file in (ours, other))
        for (offset, data), theirs in zip(*readers, strict=False):
            if theirs != (offset, data):
                break
            records, end = records + 1, offset + len(data) + OVERHEAD
    return records, end


def read_events(source: Any, resume: bool = False) -> Iterator[Any]:
    """The events of a file, up to its end or the first damaged record.

    Args:
        source: A path, or an open binary file.
        resume: Step over damaged records instead.

    Raises:
        OSError: The file can't be read.
    """
    with _opened(source) as file:
        for _, data in RecordReader(file, resume=resume).placed():
            try:
                yield parse_event(data)
            except NotAnEventError:
                if not resume:
                    return

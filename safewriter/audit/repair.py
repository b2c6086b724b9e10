"""Clean copies of damaged event files: every record that can be saved, byte for byte, and nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, Any

from safewriter.audit.walking import open_event_file
from safewriter.eventfile.messages import FILE_VERSION, Event, NotAnEventError, parse_event
from safewriter.eventfile.read import CHUNK, Damage, RecordReader
from safewriter.eventfile.record import record_of


@dataclass(frozen=True)
class Repair:
    """What became of one file.

    Attributes:
        source: The damaged file; it is only read.
        target: The clean copy, or None where there was no event to save.
        events: Events in the copy that were in the source.
        salvaged: Those among them whose frame was damaged and whose data was not.
        dropped: Places that nothing could be saved from.
        bytes_dropped: Bytes in them.
        bytes_torn: Bytes of an unfinished event at the end, dropped as well.
        version_added: The version record was missing, and stands at the beginning of the copy.
    """

    source: str
    target: str | None
    events: int
    salvaged: int
    dropped: tuple[Damage, ...]
    bytes_dropped: int
    bytes_torn: int
    version_added: bool

    def __str__(self) -> str:
        if self.target is None:
            return "nothing can be saved: it holds no whole event."
        parts = [f"{self.events:,} events saved to {self.target}"]
        if self.salvaged:
            parts.append(f"{self.salvaged:,} of them from damaged records")
        if self.dropped:
            parts.append(f"{len(self.dropped):,} damaged places dropped, {self.bytes_dropped:,} bytes")
        if self.bytes_torn:
            parts.append(f"an unfinished event at the end dropped, {self.bytes_torn:,} bytes")
        if self.version_added:
            parts.append("a version record put in front")
        if not (self.salvaged or self.dropped or self.bytes_torn or self.version_added):
            parts.append("nothing was wrong with it")
        return "; ".join(parts) + "."


def repair_file(path: Any, output: Any) -> Repair:
    """Writes a clean copy of an event file. The file itself is never touched.

    Args:
        path: The file: a path, or a URL that fsspec understands.
        output: The directory for the copy, which keeps its name; it is made where it is missing.

    Raises:
        FileExistsError: There is a file of that name in the directory.
        OSError: The file can't be read, or the copy not written.
    """
    source = os.fsdecode(path)
    target = os.path.join(os.fsdecode(output), os.path.basename(source))
    with open_event_file(source) as file:
        reader = RecordReader(file, places=sys.maxsize)
        for batch in reader.batches():
            for index, data in enumerate(batch):
                if not _is_event(data):
                    reader.reject(index)
        events, spans = reader.records, reader.damages
        dropped = [each for each in spans if each.salvage is None or not _is_event(_piece(file, *each.salvage))]
        salvages = {damage.offset for damage in spans} - {damage.offset for damage in dropped}
        version_added = False
        if not events and not salvages:
            written = None
        else:
            version_added = not _begins_with_version(file, spans)
            written = target
            _write(file, target, spans, salvages, reader.offset, version_added)
    return Repair(
        source=source,
        target=written,
        events=events + len(salvages),
        salvaged=len(salvages),
        dropped=tuple(dropped),
        bytes_dropped=sum(damage.length for damage in dropped),
        bytes_torn=reader.torn,
        version_added=version_added,
    )


def _is_event(data: bytes) -> bool:
    try:
        parse_event(data)
    except NotAnEventError:
        return False
    return True


def _piece(file: IO[bytes], start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _begins_with_version(file: IO[bytes], spans: list[Damage]) -> bool:
    if spans and spans[0].offset == 0:
        if spans[0].salvage is None:
            return False
        data = _piece(file, *spans[0].salvage)
    else:
        data = next(RecordReader(file).batches(), [b""])[0]
    return _is_event(data) and parse_event(data).WhichOneof("what") == "file_version"


def _write(file: IO[bytes], target: str, spans: list[Damage], salvages: set[int], end: int, version: bool) -> None:
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with open(target, "xb") as copy:
        try:
            if version:
                copy.write(record_of(Event(file_version=FILE_VERSION).SerializeToString()))
            at = 0
            for damage in spans:
                _copy(file, copy, at, damage.offset)
                if damage.salvage is not None and damage.offset in salvages:
                    copy.write(record_of(_piece(file, *damage.salvage)))
                at = damage.offset + damage.length
            _copy(file, copy, at, end)
        except BaseException:
            os.unlink(target)  # half a copy would be taken for one
            raise


def _copy(file: IO[bytes], copy: IO[bytes], start: int, stop: int) -> None:
    file.seek(start)
    while start < stop:
        chunk = file.read(min(CHUNK, stop - start))
        if not chunk:
            raise OSError(f"the file became shorter while it was copied: {stop - start:,} bytes are gone")
        copy.write(chunk)
        start += len(chunk)

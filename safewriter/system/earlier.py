"""The last step of each tag in the event files that were in a directory before this run.

Files are listed at construction and read later, a little at a time, when a tag is first written and on flush: the
newest file first, and of each its end and then, of a large one, samples. A file of 1 GB costs what one of 10 MB does.
There is no thread, so there is nothing to wait for at a fork or at exit.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from safewriter.eventfile.messages import NotAnEventError, parse_event
from safewriter.eventfile.names import MARK, parse_name
from safewriter.eventfile.read import RecordReader
from safewriter.system import process
from safewriter.system.holders import holds, lives

_FILES = 32  #: the newest by name; what is older was overtaken by these
_TAIL = 1 << 16  #: bytes read from the end of each
_LONGEST_TAIL = 1 << 23  #: where one record is longer than the tail
_SAMPLE = 1 << 15
_OVERLAP = 1 << 12  #: read beyond a sample, for the record that it ends in
_SAMPLES = 128  #: in all files together
_SLICE = 0.01  #: seconds after which a question begins no other part


@dataclass(frozen=True)
class _Window:
    """A part of a file that is to be read."""

    path: str
    size: int  #: of the file, when it was listed
    start: int
    end: int


class EarlierRun:
    """The event files that were in a directory when a writer was created there.

    Left out are files that are being written now: by this process's open writers, and by processes of this host that
    have them open. A file that this process wrote and closed before belongs to an earlier run.

    Args:
        logdir: The log directory; of a remote one (``gs://``) nothing is read.
        own_files: Event files of this process's open writers, as paths or names.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, logdir: str, own_files: Collection[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._last: dict[str, tuple[int, str]] = {}
        self._pid = process.pid
        own = {os.path.basename(path) for path in own_files}
        files = [] if "://" in logdir else list(_earlier_files(logdir, own))
        large = sum(size > _TAIL for _, size in files)
        samples = _SAMPLES // large if large else 0
        self._windows = deque(window for path, size in files for window in _windows(path, size, samples))

    @property
    def finished(self) -> bool:
        """Whether all has been read that ever will be."""
        return not self._windows

    def last_step(self, tag: str) -> tuple[int, str] | None:
        """The last step of a tag and the name of the file it is in, or None where it was not found so far.

        Reads on, for some 10 ms, until the tag is found. Never raises for a file that is gone or damaged. In a
        forked child nothing is read on.
        """
        until = self._clock() + _SLICE
        while tag not in self._last and self._windows and self._clock() < until and process.pid == self._pid:
            self._read(self._windows.popleft())
        return self._last.get(tag)

    def _read(self, window: _Window) -> None:
        try:
            with open(window.path, "rb") as file:
                file.seek(window.start)
                data = file.read(window.end - window.start)
        except OSError:
            return
        name = os.path.basename(window.path)
        reader = RecordReader(io.BytesIO(data))  # it finds the first record in a piece that begins within one
        found: dict[str, tuple[int, str]] = {}
        for _, record in reader.placed():
            with contextlib.suppress(NotAnEventError):
                event = parse_event(record)
                found.update((value.tag, (event.step, name)) for value in event.summary.value)
        for tag, last in found.items():
            self._last.setdefault(tag, last)
        if not reader.records:
            self._read_more(window)

    def _read_more(self, window: _Window) -> None:
        """Queues a longer tail where a single record is longer than the one that was read."""
        length = 4 * (window.end - window.start)
        if window.end == window.size and window.start and length <= _LONGEST_TAIL:
            start = max(0, window.size - length)
            self._windows.appendleft(_Window(window.path, window.size, start, window.end))


def _earlier_files(logdir: str, own: Collection[str]) -> Iterator[tuple[str, int]]:
    """Paths and sizes of the newest files that nobody is writing now, the newest first."""
    try:
        names = sorted((name for name in os.listdir(logdir or os.curdir) if MARK in name), reverse=True)
    except OSError:
        return
    host = socket.gethostname()
    for name in [name for name in names if name not in own][:_FILES]:
        path = os.path.join(logdir, name)
        try:
            size = os.stat(path).st_size
        except OSError:
            continue
        if size and not _written_now(path, name, host):
            yield path, size


def _written_now(path: str, name: str, host: str) -> bool:
    parsed = parse_name(name, host)
    if parsed is None or parsed.host != host:
        return False
    pid = process.pid if parsed.pid is None else parsed.pid
    if parsed.pid is not None and not lives(pid):
        return False
    if sys.platform.startswith("linux"):
        return holds(pid, path)
    return parsed.pid is not None


def _windows(path: str, size: int, samples: int) -> Iterator[_Window]:
    """The end of a file, and samples spread evenly over what comes before it, the last first."""
    before = max(0, size - _TAIL)
    yield _Window(path, size, before, size)
    for start in reversed(range(0, before, max(_SAMPLE, before // max(1, samples)))):
        yield _Window(path, size, start, min(start + _SAMPLE + _OVERLAP, size - 1))

"""The backend for local files: events are written in the caller's thread, and nothing is held in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from google.protobuf.message import EncodeError

from safewriter.eventfile.record import record_of
from safewriter.findings import Finding
from safewriter.recording.files import EventFiles, OnFiles
from safewriter.recording.turn import Turn

_LOOK_EVERY = 1.0  # seconds between two looks at the file while events come in
_SLOW_WRITE = 0.001  # seconds
_SLOW_IN_A_ROW = 3  # one write may be slow by chance, on a machine under load
_BYTES_PER_SECOND = 50e6  # what a write may take for its size alone


class DirectBackend(OnFiles):
    """One system call an event: when ``write`` returns, the operating system has it.

    Where three writes in a row take more than a millisecond (FUSE, NFS under load), ``slow`` is called: the owner puts
    a ``QueuedBackend`` in its place.

    Args:
        files: Where the events go.
        turn: Of the owner, held around each call but ``write_in_between``.
        slow: See above.

    Attributes:
        replaced: The queue is in its place, whose thread alone has the files now.
    """

    pending = 0  #: the operating system has everything

    def __init__(self, files: EventFiles, turn: Turn, slow: Callable[[], None]) -> None:
        super().__init__(files)
        self._turn = turn
        self._report_slow = slow
        self._slow = 0
        self._look_at = time.monotonic() + _LOOK_EVERY
        self._closed = False
        self.replaced = False

    @property
    def accepted(self) -> int:
        """Events that were taken."""
        return self._files.settled

    def write(self, event: Any) -> None:
        """See ``Backend``."""
        started = time.monotonic()
        record = framed(event, self._files)
        try:
            self._files.append(record).events += 1
        except OSError as error:
            raise self._files.losses.failed(error) from error
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self._files.look()
        if now - started > _SLOW_WRITE:
            self._was_slow(now - started, len(record))
        elif self._slow:
            self._slow = 0

    def _was_slow(self, seconds: float, size: int) -> None:
        if seconds < _SLOW_WRITE + size / _BYTES_PER_SECOND:
            return
        self._slow += 1
        if self._slow >= _SLOW_IN_A_ROW:
            self._slow = 0
            if not _threads_are_slow(seconds):
                self._report_slow()

    def write_in_between(self, event: Any) -> None:
        """Writes to a newer file: the operating system has the event also where a handler then ends the process."""
        record = framed(event, self._files)
        try:
            begun = self._files.append_in_between(record)
        except OSError as error:
            raise self._files.losses.failed(error) from error
        if begun:
            self._turn.leave(self._go_on_in_newest)

    def _go_on_in_newest(self) -> None:
        with self._turn.lock:
            if not self.replaced:
                self._files.go_on_in_newest(closed=self._closed)

    def prepare(self) -> None:
        """See ``Backend``."""
        try:
            self._files.prepare()
        except OSError as error:
            raise self._files.losses.failed(error) from error

    def flush(self, timeout: float | None = None) -> None:
        """Looks whether everything is there: the operating system has it already."""
        self._files.look()

    def close(self, timeout: float | None = None) -> list[Finding]:
        """See ``Backend``."""
        self._closed = True
        self._files.end()
        return self._files.losses.sum_up()

    def reopen(self) -> None:
        """See ``Backend``."""
        self._files.begin()
        self._closed = False

    def remove(self) -> None:
        """See ``Backend``."""
        self._files.remove()


def framed(event: Any, files: EventFiles) -> bytes:
    """The record for an ``Event`` message.

    Raises:
        SafeWriterError: SW502: protobuf refuses, because it is too large.
    """
    try:
        return record_of(event.SerializeToString())
    except (EncodeError, ValueError) as error:  # each protobuf has its own way to say no
        raise files.losses.refused(error) from error


def _threads_are_slow(seconds: float) -> bool:
    """Whether other threads keep the interpreter busy, so that a write took these seconds, and not the storage."""
    waits = []
    for _ in range(3):
        started = time.monotonic()
        time.sleep(0)  # releases the interpreter's lock and waits for it, as a write does
        waits.append(time.monotonic() - started)
    return sorted(waits)[1] > seconds / 3

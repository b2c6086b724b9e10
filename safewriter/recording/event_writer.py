"""What lies beneath a ``SafeFileWriter``: TensorFlow's event writers, with our files and our account below them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from google.protobuf.message import EncodeError
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter
from tensorflow.python.summary.writer.event_file_writer_v2 import EventFileWriterV2

from safewriter.checks.landing import Fate, event_file_gone, events_lost, too_large
from safewriter.eventfile.local import FileState
from safewriter.eventfile.read import count_records
from safewriter.findings import Finding
from safewriter.recording.eventlog import EventLog, Part
from safewriter.system import process


class SafeEventFileWriter(EventFileWriter):  # type: ignore[misc]
    """TensorFlow's ``EventFileWriter`` with an ``EventLog`` in the place of its queue, thread and C++ writer.

    ``add_event`` stays the inherited method, which experiment trackers patch; it hands on to ``_try_put``. The base
    class's constructor is left out on purpose: it would create a second event file.

    Args:
        logdir: What ``get_logdir`` answers.
        log: Where events go.
        lock: Held around each call of ``log``.
        in_child: Called in a forked child, before its first event is written.
    """

    def __init__(self, logdir: str, log: EventLog, lock: Any, in_child: Callable[[], None]) -> None:
        self._logdir = logdir
        self._closed = False
        self._lock = lock
        self._in_child = in_child
        self.log = log
        self.sums: list[Finding] = []  #: what closing had to say, for the ledger to tell

    def _try_put(self, event: Any) -> None:
        with self._lock:
            if process.pid != self.log.pid:
                self._go_on_in_child()
            try:
                data = event.SerializeToString()
            except (EncodeError, ValueError) as error:  # each protobuf has its own way to say no
                raise self.log.refuse(too_large(self.log.path, str(error))) from error
            self.log.write(data)

    def prepare(self) -> None:
        """Sees to it that the file which the next event goes to is begun.

        Raises:
            SafeWriterError: SW502, in the place of the add for which this is called.
        """
        with self._lock:
            self._go_on_in_child()
            self.log.prepare()

    def _go_on_in_child(self) -> None:
        if process.pid != self.log.pid:
            self._in_child()
            self.log.go_on_in_child()

    def flush(self) -> None:
        """Brings all events to the file and looks whether they are there.

        Raises:
            SafeWriterError: SW502: the storage refuses.
        """
        with self._lock:
            if not self._closed and process.pid == self.log.pid:
                self.log.flush()

    def close(self, timeout: float | None = None) -> None:
        """Flushes, syncs and closes the file; what could not be written is in ``sums``."""
        with self._lock:
            if self._closed:
                return
            try:
                if process.pid == self.log.pid:
                    self.sums += self.log.close(timeout)
            finally:
                self._closed = True

    def reopen(self) -> None:
        """Goes on in a new file after ``close``; nothing where it is open.

        Raises:
            OSError: The file can't be created.
        """
        with self._lock:
            if self._closed:
                self.log.reopen()
                self._closed = False

    def remove(self) -> None:
        """Takes away what a constructor that failed has created."""
        self._closed = True
        self.log.remove()


class SafeSessionEventWriter(EventFileWriterV2):  # type: ignore[misc]
    """TensorFlow's ``EventFileWriterV2``, which writes through a session's summary resource, with an account of it.

    The file is TensorFlow's, so what has landed is read back from it at each flush, from where the last look ended.

    Args:
        session: See ``tf.compat.v1.summary.FileWriter``.
        logdir: Local directory or URL.
        directory: The same, absolute; None where files can't be listed (remote).
        lock: Held around each call.
        tell: Where SW503 goes.
        rest: The other arguments of the base class.
    """

    def __init__(
        self,
        session: Any,
        logdir: str,
        directory: str | None,
        lock: Any,
        tell: Callable[[Finding], None],
        **rest: Any,
    ) -> None:
        self.pid = os.getpid()
        self.parts: list[Part] = []
        self.sums: list[Finding] = []
        self.generation = 1
        self.accepted = 0
        self.failed_calls = 0
        self._lock = lock
        self._directory = directory
        self._tell = tell
        self._told = 0
        self._before = self._names()
        super().__init__(session, logdir, **rest)
        self._find_files()

    def _names(self) -> frozenset[str]:
        if self._directory is None:
            return frozenset()
        with contextlib.suppress(OSError):
            return frozenset(name for name in os.listdir(self._directory) if ".tfevents." in name)
        return frozenset()

    def _find_files(self) -> None:
        known = {os.path.basename(part.path) for part in self.parts}
        mine = f".{self.pid}."
        for name in sorted(self._names() - self._before - known):
            if mine in name and self._directory is not None:
                self.parts.append(Part(os.path.join(self._directory, name)))

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self.parts[-1].path if self.parts else str(self.get_logdir())

    @property
    def landed(self) -> int:
        """Events that were read back from the file."""
        return min(self.accepted, sum(part.landed for part in self.parts)) if self._directory else self.accepted

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""
        return sum(part.lost for part in self.parts) + self._unlanded

    @property
    def pending(self) -> int:
        """Accepted events that TensorFlow's resource may still hold."""
        return max(self.accepted - self.landed - self.lost, 0)

    _unlanded = 0

    def prepare(self) -> None:
        """Nothing: TensorFlow's resource has its file."""

    def add_event(self, event: Any) -> None:
        """Writes one event through the session."""
        with self._lock:
            if self._closed:
                return
            try:
                super().add_event(event)
            except Exception:
                self.failed_calls += 1
                raise
            self.accepted += 1

    def flush(self) -> None:
        """Flushes the session's resource, and reads back what landed."""
        with self._lock:
            super().flush()
            self._look()

    def close(self, timeout: float | None = None) -> None:
        """Flushes and closes the session's resource, and reads back what landed."""
        del timeout
        with self._lock:
            if self._closed:
                return
            super().close()
            self._look()
            self._unlanded = self.accepted - self.landed - sum(part.lost for part in self.parts)
            untold, self._told = self.lost - self._told, self.lost
            if untold > 0 or self.failed_calls:
                self.sums.append(events_lost(self.path, None, max(untold, 0), self.failed_calls))

    def reopen(self) -> None:
        """Goes on in a new file after ``close``."""
        with self._lock:
            if self._closed:
                super().reopen()
                self.generation += 1
                self._find_files()

    def _look(self) -> None:
        self._find_files()
        for part in self.parts:
            if part.lost:
                continue
            start = part.size
            try:
                with open(part.path, "rb") as file:
                    records, part.size = count_records(file, start)
            except FileNotFoundError:
                self._file_is_gone(part)
                continue
            part.events += records - (start == 0 < records)  # the version record is not an event of the user's
            part.landed = part.events

    def _file_is_gone(self, part: Part) -> None:
        if part is self.parts[-1]:
            part.events = self.accepted - sum(other.landed for other in self.parts[:-1])
        part.lost, part.landed = part.events, 0
        self._told += part.lost
        directory = os.path.isdir(os.path.dirname(part.path))
        state = FileState(part.path, part.size, None, at_path=None, linked=False, directory=directory)
        self._tell(event_file_gone(state, Fate.DELETED, part.events, part.lost, ""))

    def remove(self) -> None:
        """Takes away what a constructor that failed has created."""
        with contextlib.suppress(Exception):
            self.close()
        for part in self.parts:
            with contextlib.suppress(OSError):
                os.unlink(part.path)

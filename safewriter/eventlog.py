"""The event files of one writer, one after the other, and the account of what is in them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from safewriter.checks.landing import (
    Fate,
    event_file_gone,
    events_lost,
    judge_state,
    used_after_fork,
    write_failed,
)
from safewriter.eventfile.local import LocalFile
from safewriter.eventfile.messages import Event
from safewriter.eventfile.names import new_name
from safewriter.eventfile.queued import EventFile, WriteQueue
from safewriter.eventfile.read import count_records
from safewriter.findings import Finding, error_for

FILE_VERSION = "brain.Event:2"
_LOOK_EVERY = 1.0  # seconds between two looks at the file while events come in
_SLOW_WRITE = 0.001  # seconds; see the class docstring
_SLOW_IN_A_ROW = 3  # one write may be slow by chance, on a machine under load
_QUICK_IN_A_ROW = 5
_BYTES_PER_SECOND = 50e6  # what a write may take for its size alone
_SLOW_FLUSH_SECS = 2.0
_LOCAL_LIMIT = 1 << 20
_REMOTE_LIMIT = 64 << 20  # bytes; some remote file systems send the whole file anew at each flush


@dataclass
class Part:
    """The account of one event file.

    Attributes:
        path: Where it was created.
        events: Events written to it, without the version record.
        landed: How many of them were found on disk at the last look, or can be read in what is left of the file.
        lost: How many went with the file.
        size: Bytes.
    """

    path: str
    events: int = 0
    landed: int = 0
    lost: int = 0
    size: int = 0


class EventLog:
    """Takes serialized events and sees to it that they land in the log directory, or that somebody is told.

    A local file is written directly, one system call an event. Where three writes in a row take more than a millisecond
    (FUSE, NFS under load), a ``WriteQueue`` is put before it, and taken away when the storage is quick again.
    Where ``open_file`` is given (other file systems), the queue is there from the start.

    Not thread-safe by itself: the caller holds one lock around every call.

    Args:
        directory: The log directory, absolute or a URL. It must exist when ``open_file`` is given.
        suffix: What the names of the files end with.
        tell: Where findings go: SW503 and SW505.
        open_file: Creates a file at a path; None for local ones.
        max_queue: See ``WriteQueue``.
        flush_secs: See ``WriteQueue``.

    Raises:
        OSError: The first file can't be created or written to; nothing is left behind.
    """

    def __init__(
        self,
        directory: str,
        suffix: str = "",
        *,
        tell: Callable[[Finding], None],
        open_file: Callable[[str], EventFile] | None = None,
        max_queue: int = 10,
        flush_secs: float = 120.0,
    ) -> None:
        self.directory = directory
        self.pid = os.getpid()
        self.parts: list[Part] = []
        self.failed_calls = 0  #: adds that raised
        self.generation = 0  #: files begun so far
        self._suffix = suffix
        self._tell = tell
        self._open_file = open_file
        self._max_queue = max_queue
        self._flush_secs = flush_secs
        self._file: EventFile | None = None
        self._queue: WriteQueue | None = None
        self._unstored = 0  # events of a queue that was given up
        self._told = 0  # lost events that SW503 or an earlier sum has told of
        self._last_error: OSError | None = None
        self._slow = 0
        self._look_at = 0.0
        self._begin()

    # What came in, and what became of it.

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self.parts[-1].path if self.parts else self.directory

    @property
    def pending(self) -> int:
        """Accepted events that only this process's memory holds."""
        return self._queue.pending if self._queue is not None else 0

    @property
    def accepted(self) -> int:
        """Events that ``write`` took."""
        return sum(part.events for part in self.parts) + self.pending + self._unstored

    @property
    def landed(self) -> int:
        """Events that were found on disk when the log last looked."""
        return sum(part.landed for part in self.parts)

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""
        return sum(part.lost for part in self.parts) + self._unstored

    @property
    def queued(self) -> bool:
        """Whether events go through a queue, so that a kill could lose the newest."""
        return self._queue is not None

    # Writing.

    def write(self, data: bytes) -> None:
        """Takes one event.

        Args:
            data: The serialized event.

        Raises:
            SafeWriterError: SW502, also an ``OSError`` with its errno: the event was not written.
        """
        started = time.monotonic()
        try:
            if self._queue is not None:
                self._queue.put(data)
            else:
                if self._file is None or self._file.torn:
                    self._begin()
                self._file.write(data)  # type: ignore[union-attr]
                self.parts[-1].events += 1
        except OSError as error:
            self.failed_calls += 1
            self._last_error = error
            raise error_for(write_failed(self.path, error, self.accepted, self.pending)) from error
        now = time.monotonic()
        if now - started > _SLOW_WRITE:
            self._was_slow(now - started, len(data))
        elif self._slow:
            self._slow = 0
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self.look(wait=False)

    def _was_slow(self, seconds: float, size: int) -> None:
        if self._queue is not None or seconds < _SLOW_WRITE + size / _BYTES_PER_SECOND:
            return
        self._slow += 1
        if self._slow >= _SLOW_IN_A_ROW and self._file is not None:
            self._slow = 0
            self._queue = self._new_queue(self._file)

    def _new_queue(self, file: EventFile) -> WriteQueue:
        remote = self._open_file is not None
        return WriteQueue(
            file,
            self._max_queue,
            self._flush_secs if remote else min(self._flush_secs, _SLOW_FLUSH_SECS),
            _REMOTE_LIMIT if remote else _LOCAL_LIMIT,
            stored=self._stored,
            renew=self._renew,
        )

    def _stored(self, events: int) -> None:
        self.parts[-1].events += events

    def _renew(self, old: EventFile) -> tuple[EventFile, int]:
        """Another file for a queue whose file can't be written to any more; called on the queue's thread."""
        reached = 0
        with contextlib.suppress(OSError), old.reader() as file:
            reached, _ = count_records(file, old.size)
        with contextlib.suppress(OSError):
            old.close()
        new = self._create()
        self.parts[-1].events += reached
        self.parts[-1].landed += reached
        self._adopt(new)
        return new, reached

    # Files.

    def _begin(self) -> None:
        """Begins a new file, in a directory that is made again where it is gone."""
        self._retire()
        file = self._create()
        self._adopt(file)
        if self._open_file is not None:
            self._queue = self._new_queue(file)

    def _adopt(self, file: EventFile) -> None:
        self._file = file
        self.generation += 1
        self.parts.append(Part(file.path, size=file.size))
        self._look_at = time.monotonic() + _LOOK_EVERY

    def _create(self) -> EventFile:
        made: list[str] = []
        try:
            if self._open_file is None:
                made = make_directories(self.directory)
            file = self._create_unique()
        except BaseException:
            _remove_directories(made)
            raise
        try:
            file.write(Event(wall_time=time.time(), file_version=FILE_VERSION).SerializeToString())
            file.push()
        except BaseException:
            with contextlib.suppress(OSError):
                file.close()
            if self._open_file is None:
                with contextlib.suppress(OSError):
                    os.unlink(file.path)
            _remove_directories(made)
            raise
        return file

    def _create_unique(self) -> EventFile:
        create = self._open_file or LocalFile
        while True:
            try:
                return create(os.path.join(self.directory, new_name(self._suffix)))
            except FileExistsError:  # a container with our host name and pid was quicker; the next number is free
                continue

    def _retire(self) -> None:
        """Takes leave of a file that can't be written to any more; what of it can be read has landed."""
        file, self._file = self._file, None
        if file is None:
            return
        part = self.parts[-1]
        if part.path == file.path and not part.lost:
            with contextlib.suppress(OSError):
                part.landed, part.size = self._readable(file, part)
                part.lost = part.events - part.landed
        with contextlib.suppress(OSError):
            file.close()

    def _readable(self, file: EventFile, part: Part) -> tuple[int, int]:
        """How many events, and bytes, of a file can still be read."""
        with file.reader() as reader:
            records, end = count_records(reader)
        return min(max(records - 1, 0), part.events), end

    # Looking.

    def look(self, *, wait: bool) -> None:
        """Compares what is on disk with what was written; where the file is gone, goes on in a new one and tells SW503.

        Args:
            wait: Wait for a store that is under way; otherwise the look is left out then.
        """
        finding = None
        if self._queue is None:
            finding = self._compare()
        else:
            with self._queue.paused(wait=wait) as lent:
                if lent:
                    finding = self._compare()
            if self._open_file is None and self._queue.quick_stores >= _QUICK_IN_A_ROW:
                self._leave_queue()
        if finding is not None:
            self._tell(finding)

    def _compare(self) -> Finding | None:
        file = self._file
        state = file.state() if file is not None and not file.torn else None
        if file is None or state is None:
            return None
        fate = judge_state(state)
        part = self.parts[-1]
        if fate is Fate.INTACT:
            part.landed, part.size = part.events, file.size
            return None
        part.landed = part.events if fate is Fate.GROWN else 0
        if fate is Fate.TRUNCATED:
            with contextlib.suppress(OSError):
                part.landed, part.size = self._readable(file, part)
                file.cut_to(part.size)
        part.lost = part.events - part.landed
        self._told += part.lost
        goes_on = self._replace(file)
        return event_file_gone(state, fate, part.events, part.lost, goes_on) if part.events else None

    def _replace(self, file: EventFile) -> str:
        """Begins a new file in the place of one that is gone: its path, or nothing where none can be created yet."""
        with contextlib.suppress(OSError):
            file.close()
        file.torn = True  # where no new file can be created now, the next write tries again
        try:
            new = self._create()
        except OSError as error:
            self._last_error = error
            return ""
        self._adopt(new)
        if self._queue is not None:
            self._queue.replace_file(new)
        return new.path

    # Ends.

    def flush(self, timeout: float | None = None) -> None:
        """Brings all accepted events to the file, and looks whether they are there.

        Raises:
            SafeWriterError: SW502, also an ``OSError``: the storage refuses; the events stay in memory and are tried
                again.
        """
        if self._queue is not None:
            try:
                self._queue.flush(timeout)
            except OSError as error:
                self._last_error = error
                raise error_for(write_failed(self.path, error, self.accepted, self.pending)) from error
        self.look(wait=True)

    def close(self, timeout: float | None = None) -> list[Finding]:
        """Brings everything to the storage itself and gives the file back.

        Args:
            timeout: Seconds to wait for a queue; None for as long as it takes.

        Returns:
            SW502, summed up, where something could not be written.
        """
        with contextlib.suppress(OSError):  # what it leaves in memory is in the sum below
            self.flush(timeout)
        if self._queue is not None:
            self._drop_queue()
        file, self._file = self._file, None
        if file is not None:
            part = self.parts[-1]
            for step in (file.sync, file.close):
                try:
                    step()
                except OSError as error:
                    self._last_error = error
                    part.lost, part.landed = part.events, 0
        return self._sum_up()

    def _sum_up(self) -> list[Finding]:
        untold, self._told = self.lost - self._told, self.lost
        calls, self.failed_calls = self.failed_calls, 0
        return [events_lost(self.path, self._last_error, untold, calls)] if untold or calls else []

    def reopen(self) -> None:
        """Goes on in a new file after ``close``.

        Raises:
            OSError: It can't be created.
        """
        if self._file is None:
            self.pid = os.getpid()  # a forked child may go on with what its parent closed
            self._begin()

    def _leave_queue(self) -> None:
        """Goes back to direct writes: the storage is quick again."""
        assert self._queue is not None
        with contextlib.suppress(OSError):
            self._queue.flush()
        if self._queue.pending == 0:
            self._drop_queue()

    def _drop_queue(self) -> None:
        """Ends the queue's thread; what it still holds can't land any more."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.stop()
            self._unstored += queue.pending

    def go_on_in_child(self) -> None:
        """Leaves the parent's file alone and begins one of this forked child's own; tells SW505.

        Raises:
            OSError: It can't be created.
        """
        parent, self.pid = self.pid, os.getpid()
        file, self._file = self._file, None
        if isinstance(file, LocalFile):
            file.close()  # the child's copy of the descriptor; the parent's stays open
        self._queue = None  # its thread did not come along, and what it holds is the parent's
        self.parts, self._last_error = [], None
        self.failed_calls = self._unstored = self._told = 0
        self._begin()
        self._tell(used_after_fork(parent, self.pid, self.path))


def make_directories(path: str) -> list[str]:
    """Makes a directory and its parents; gives those that were not there before, innermost first.

    Raises:
        OSError: One can't be made; none of those made before it is left.
    """
    missing: list[str] = []
    probe = path
    while not os.path.isdir(probe):
        missing.append(probe)
        parent = os.path.dirname(probe)
        if parent == probe:
            break
        probe = parent
    made: list[str] = []
    try:
        for directory in reversed(missing):
            try:
                os.mkdir(directory)
                made.insert(0, directory)
            except FileExistsError:
                if not os.path.isdir(directory):
                    raise
    except BaseException:
        _remove_directories(made)
        raise
    return made


def _remove_directories(made: list[str]) -> None:
    for directory in made:
        with contextlib.suppress(OSError):
            os.rmdir(directory)

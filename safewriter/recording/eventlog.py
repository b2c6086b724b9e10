"""The event files of one writer, one after the other, and the account of what is in them."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from safewriter.checks.landing import (
    Fate,
    event_file_gone,
    events_lost,
    flush_failed,
    judge_state,
    stays_in_directory,
    used_after_fork,
    write_failed,
)
from safewriter.eventfile.local import FileState, LocalFile
from safewriter.eventfile.messages import Event
from safewriter.eventfile.names import new_name
from safewriter.eventfile.read import count_records, read_events
from safewriter.findings import Finding, error_for
from safewriter.recording.queued import EventFile, WriteQueue
from safewriter.system import process

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
        path: Where it is; where it was created, if it is not known where it went.
        events: Events written to it, without the version record.
        landed: How many of them were found on disk at the last look, or can be read in what is left of the file.
        lost: How many went with the file.
        size: Bytes.
        judged: ``landed`` and ``lost`` are final: the file was closed, or given up.
    """

    path: str
    events: int = 0
    landed: int = 0
    lost: int = 0
    size: int = 0
    judged: bool = False


class EventLog:
    """Takes serialized events and sees to it that they land in the log directory, or that somebody is told.

    A local file is written directly, one system call an event. Where three writes in a row take more than a millisecond
    (FUSE, NFS under load), a ``WriteQueue`` is put before it, and taken away when the storage is quick again.
    Where ``open_file`` is given (other file systems), the queue is there from the start.

    Not thread-safe by itself: the caller holds one lock around every call. A signal handler that interrupts one may
    call any of them: what it adds goes to a file beside, and a close waits for the interrupted call.

    Args:
        directory: The log directory, absolute or a URL. It must exist when ``open_file`` is given.
        suffix: What the names of the files end with.
        tell: Where findings go: SW503 and SW505.
        error: Makes the exception for a finding that is raised.
        open_file: Creates a file at a path; None for local ones.
        max_queue: See ``WriteQueue``.
        flush_secs: See ``WriteQueue``.

    Attributes:
        accepted: Events that ``write`` took.
        failed_calls: Adds that raised, and have not been told of at a close.
        generation: Files begun so far.

    Raises:
        OSError: The first file can't be created or written to; nothing is left behind.
    """

    def __init__(
        self,
        directory: str,
        suffix: str = "",
        *,
        tell: Callable[[Finding], None],
        error: Callable[[Finding], Exception] = error_for,
        open_file: Callable[[str], EventFile] | None = None,
        max_queue: int = 10,
        flush_secs: float = 120.0,
    ) -> None:
        self.directory = directory
        self.pid = os.getpid()
        self.parts: list[Part] = []
        self.accepted = 0
        self.failed_calls = 0
        self.generation = 0
        self._suffix = suffix
        self._tell = tell
        self._error = error
        self._open_file = open_file
        self._max_queue = max_queue
        self._flush_secs = flush_secs
        self._file: EventFile | None = None
        self._part = Part("")  # the account of ``_file``
        self._direct: EventFile | None = None  # see ``_steer``
        self._queue: WriteQueue | None = None
        self._unstored = 0  # events of a queue that was given up
        self._told = 0  # lost events that SW503 or an earlier sum has told of
        self._last_error: OSError | None = None
        self._slow = 0
        self._look_at = 0.0
        self._parent: int | None = None  # the process that we were forked from, until SW505 is told
        self._busy = False  # a call is under way: whoever calls now is a signal handler that interrupted it
        self._lent = False  # the call under way holds the queue's file
        self._interrupted = False
        self._aside: tuple[EventFile, Part] | None = None
        self._close_asked = False
        self._made: list[str] = []  # directories made for the newest file
        self._begin()

    # What came in, and what became of it.

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self.parts[-1].path if self.parts else self.directory

    @property
    def pending(self) -> int:
        """Accepted events that only this process's memory holds."""
        queue = self._queue
        # In a forked child the queue is the parent's, and its lock may be held by a thread that did not come along.
        return queue.pending if queue is not None and process.pid == self.pid else 0

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
        if self._busy:
            self._write_aside(data)
            return
        started = time.monotonic()
        self._busy = True
        try:
            file = self._direct
            if file is not None:
                file.write(data)
                self._part.events += 1
            else:
                self._write_otherwise(data)
            self.accepted += 1
            now = time.monotonic()
            if now >= self._look_at:
                self._look_at = now + _LOOK_EVERY
                self._look(0.0)
            if now - started > _SLOW_WRITE:
                self._was_slow(now - started, len(data))
            elif self._slow:
                self._slow = 0
        except OSError as error:
            self.failed_calls += 1
            raise self._failed(error) from error
        except BaseException:  # Ctrl-C within the write, for one
            self._steer()
            raise
        finally:
            self._busy = False
            if self._interrupted:
                self._after_interruption()

    def _write_otherwise(self, data: bytes) -> None:
        """Takes an event that can't simply be appended to the file at hand."""
        if self._queue is None:
            self._begin_again()
        if self._queue is not None:
            self._queue.put(data)
        elif self._file is not None:
            self._file.write(data)
            self._part.events += 1

    def _steer(self) -> None:
        """Finds out where events go next: ``_direct`` is the file that they can simply be appended to, or None."""
        file = self._file
        self._direct = file if self._queue is None and file is not None and not file.torn else None

    def refuse(self, finding: Finding) -> Exception:
        """The exception for an event that can't be written anywhere; the sum at close tells of it."""
        self.failed_calls += 1
        return self._error(finding)

    def prepare(self) -> None:
        """Begins the file that the next event goes to, where there is none: ``generation`` is right afterwards.

        Raises:
            SafeWriterError: SW502, as ``write`` does in the place of which this is called.
        """
        if self._busy or self._queue is not None or self._direct is not None:
            return
        with self._at_work():
            try:
                self._begin_again()
            except OSError as error:
                self.failed_calls += 1
                raise self._failed(error) from error

    def _failed(self, error: OSError) -> Exception:
        self._last_error = error
        self._steer()
        return self._error(write_failed(self.path, error, self.accepted - self.lost - self.pending, self.pending))

    def _was_slow(self, seconds: float, size: int) -> None:
        if self._queue is not None or seconds < _SLOW_WRITE + size / _BYTES_PER_SECOND:
            return
        self._slow += 1
        if self._slow < _SLOW_IN_A_ROW or self._file is None:
            return
        self._slow = 0
        if not _threads_are_slow(seconds):
            with contextlib.suppress(OSError):  # no thread to be had, at the end of the interpreter for one
                self._queue = self._new_queue(self._file)
            self._steer()

    def _new_queue(self, file: EventFile) -> WriteQueue:
        remote = self._open_file is not None
        return WriteQueue(
            file,
            self._max_queue,
            self._flush_secs if remote else min(self._flush_secs, _SLOW_FLUSH_SECS),
            _REMOTE_LIMIT if remote else _LOCAL_LIMIT,
            stored=self._stored,
            look=self._look_before_store,
            renew=self._renew,
        )

    # Called on the queue's thread, which has the file then.

    def _stored(self, events: int) -> None:
        self.parts[-1].events += events

    def _look_before_store(self) -> None:
        finding = self._compare()
        if finding is not None:
            self._tell(finding)

    def _renew(self, old: EventFile) -> tuple[EventFile, int]:
        """Another file for a queue whose file can't be written to any more."""
        part = self.parts[-1]
        reached = 0
        if not part.judged:  # else it is closed already
            try:
                reached = old.reached()
            except OSError:
                if self._open_file is not None:  # what may be there already must not be written twice
                    raise
        new = self._create()
        with contextlib.suppress(OSError):
            old.close()
        if not part.judged:
            part.events += reached
            part.landed, part.judged = part.events, True
        self._adopt(new)
        return new, reached

    # Signal handlers that interrupt a call of this process's main thread.

    def _write_aside(self, data: bytes) -> None:
        self._interrupted = True
        try:
            if self._aside is None:
                file = self._create()
                self._aside = file, Part(file.path)
                self.parts.insert(max(len(self.parts) - 1, 0), self._aside[1])  # the interrupted call uses the last
            file, part = self._aside
            file.write(data)
        except OSError as error:
            self.failed_calls += 1
            raise self._failed(error) from error
        self.accepted += 1
        part.events += 1
        part.landed, part.size = part.events, file.size

    def _after_interruption(self) -> None:
        if self._busy:
            return
        self._interrupted = False
        aside, self._aside = self._aside, None
        if aside is not None:
            with contextlib.suppress(OSError):
                aside[0].close()
        if self._close_asked:
            for finding in self.close():
                self._tell(finding)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            if self._interrupted:
                self._after_interruption()

    # Files.

    def _begin_again(self) -> EventFile:
        """Begins a new file in the place of one that can't be written to any more."""
        self._retire()
        finding = self._without_file()
        if finding is not None:
            self._tell(finding)
        return self._begin()

    def _begin(self) -> EventFile:
        """Begins a new file, in a directory that is made again where it is gone."""
        file = self._create()
        if self._open_file is not None:
            try:
                self._queue = self._new_queue(file)
            except BaseException:
                file.remove()
                raise
        self._adopt(file)
        if self._parent is not None:
            self._tell(used_after_fork(self._parent, self.pid, self.path))
            self._parent = None
        return file

    def _adopt(self, file: EventFile) -> None:
        self.parts.append(Part(file.path, size=file.size))
        self._part = self.parts[-1]
        self._file = file
        self._steer()
        self.generation += 1
        self._look_at = time.monotonic() + _LOOK_EVERY

    def _create(self) -> EventFile:
        made: list[str] = []
        try:
            if self._open_file is None:
                made = make_directories(self.directory)
            file = self._create_unique()
            try:
                file.write(Event(wall_time=time.time(), file_version=FILE_VERSION).SerializeToString())
            except BaseException:
                file.remove()
                raise
        except BaseException:
            _remove_directories(made)
            raise
        self._made = made
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
        self._steer()
        if file is None:
            return
        part = self.parts[-1]
        if part.path == file.path and not part.judged:
            part.judged = True
            with contextlib.suppress(OSError), file.reader() as reader:
                part.landed, part.size = _events_in(reader, part.events)
            part.lost = part.events - part.landed
        with contextlib.suppress(OSError):
            file.close()

    # Looking.

    def _look(self, timeout: float | None = None) -> None:
        """Compares what is on disk with what was written; where the file is gone, goes on in a new one and tells SW503.

        Args:
            timeout: Seconds to wait for a store that is under way; the look is left out when they are over.
        """
        finding = None
        queue = self._queue
        try:
            if queue is None:
                finding = self._compare()
            else:
                with queue.paused(timeout) as lent:
                    self._lent = lent
                    if lent:
                        finding = self._compare()
        finally:
            self._lent = False
        if queue is not None and self._open_file is None and queue.quick_stores >= _QUICK_IN_A_ROW:
            self._leave_queue(queue)
        if finding is not None:
            self._tell(finding)

    def _compare(self, *, goes_on: bool = True) -> Finding | None:
        """Judges what is found of the file.

        Args:
            goes_on: Begin a new one in the place of one that is gone.

        Returns:
            SW503, where a file that held events is gone.
        """
        file = self._file
        if file is None or file.torn:
            return self._without_file()
        try:
            state = file.state()
        except OSError as error:  # it can't be known now: nothing counts as landed that was not seen
            self._last_error = error
            return None
        if state is None:
            return None
        fate = judge_state(state)
        part = self.parts[-1]
        if fate is Fate.INTACT:
            part.landed, part.size = part.events, file.size
            return None
        part.landed = self._still_there(file, state, fate, part)
        part.lost, part.judged = part.events - part.landed, True
        gone = self._give_up(self.parts[:-1])
        self._told += part.lost + sum(gone.values())
        where = self._replace(file) if goes_on else None
        if not part.events and not gone:
            return None
        return event_file_gone(state, fate, part.events, part.lost, where, gone)

    def _without_file(self) -> Finding | None:
        """SW503, where files are gone since the last one was given up and no new one could be begun."""
        gone = self._give_up([part for part in self.parts if part.judged])
        if not gone:
            return None
        self._told += sum(gone.values())
        path, lost = gone.popitem()
        state = FileState(path, 0, None, at_path=None, linked=False, directory=os.path.isdir(self.directory))
        finding = event_file_gone(state, Fate.DELETED, lost, lost, "", gone)
        return replace(finding, subject=f"gone:{path}")  # not to be taken for a finding of that file that was told

    def _give_up(self, parts: Iterable[Part]) -> dict[str, int]:
        """Those of some finished files that are gone, with their directory most likely: the events lost with each."""
        gone = {}
        if self._open_file is None:
            for part in parts:
                if part.landed and not os.path.exists(part.path):
                    gone[part.path] = part.landed
                    part.lost, part.landed = part.lost + part.landed, 0
        return gone

    def _still_there(self, file: EventFile, state: FileState, fate: Fate, part: Part) -> int:
        """How many events of a file that is not as it was can still be read in the log directory."""
        if fate is Fate.DELETED or (fate is Fate.MOVED and not stays_in_directory(state)):
            return 0
        with contextlib.suppress(OSError):
            with file.copied_to_path() if fate is Fate.REPLACED else file.reader() as reader:
                events, end = _events_in(reader, part.events)
            if state.size is not None and state.size < state.expected_size and fate is not Fate.REPLACED:
                file.cut_to(end)
            part.size = end
            part.path = state.now_at or part.path
            return events
        return 0

    def _replace(self, file: EventFile) -> str:
        """Begins a new file in the place of one that is gone: its path, or nothing where none can be created yet."""
        with contextlib.suppress(OSError):
            file.close()
        file.torn = True  # where no new file can be created now, the next write tries again
        self._steer()
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
        if self._busy:  # what was written directly is the system's already
            if self._queue is not None and not self._lent:
                self._flush_queue(self._queue, timeout)
            return
        with self._at_work():
            if self._queue is not None:
                self._flush_queue(self._queue, timeout)
            self._look(timeout)

    def _flush_queue(self, queue: WriteQueue, timeout: float | None) -> None:
        try:
            queue.flush(timeout)
        except OSError as error:
            self._last_error = error
            raise self._error(flush_failed(self.path, error, self.pending)) from error

    def close(self, timeout: float | None = None) -> list[Finding]:
        """Brings everything to the storage itself and gives the file back.

        Args:
            timeout: Seconds to wait for a queue; None for as long as it takes.

        Returns:
            SW502, summed up, where something could not be written.
        """
        if self._busy:
            self._close_asked = self._interrupted = True
            with contextlib.suppress(OSError):
                self.flush(timeout)
            return []
        self._close_asked = False
        with self._at_work():
            if self._queue is not None:
                try:
                    self._queue.flush(timeout)
                except OSError as error:  # what it leaves in memory is in the sum below
                    self._last_error = error
                self._drop_queue(timeout)
            self._end_file()
            return self._sum_up()

    def _end_file(self) -> None:
        file = self._file
        if file is None:
            finding = self._without_file()
            if finding is not None:
                self._tell(finding)
            return
        remote = self._open_file is not None
        finding = None if remote else self._compare(goes_on=False)
        part = self.parts[-1]
        failed = False
        for step in (file.sync, file.close):
            try:
                step()
            except OSError as error:
                if not part.judged:  # else the file was given up, and may be closed
                    self._last_error = error
                    failed = not remote
        if remote:  # most of them store a file when it is closed
            finding = self._compare(goes_on=False)
        self._file = None
        self._steer()
        if not part.judged:
            part.landed = 0 if failed else part.landed
            part.lost, part.judged = part.events - part.landed, True
        if finding is not None:
            self._tell(finding)

    def _sum_up(self) -> list[Finding]:
        untold, self._told = self.lost - self._told, self.lost
        calls, self.failed_calls = self.failed_calls, 0
        return [events_lost(self.path, self._last_error, untold, calls)] if untold or calls else []

    def reopen(self) -> None:
        """Goes on in a new file after ``close``.

        Raises:
            OSError: It can't be created.
        """
        self._close_asked = False
        if self._file is None and not self._busy:
            with self._at_work():
                self._begin()

    def _leave_queue(self, queue: WriteQueue) -> None:
        """Goes back to direct writes: the storage is quick again."""
        with contextlib.suppress(OSError):
            queue.flush()
        if queue.pending == 0:
            self._drop_queue()

    def _drop_queue(self, timeout: float | None = None) -> None:
        """Ends the queue's thread; what it still holds can't land any more."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.stop(timeout)
            self._unstored += queue.pending
        self._steer()

    def remove(self) -> None:
        """Takes away what a constructor that failed has created."""
        file, self._file = self._file, None
        self._drop_queue()
        if file is not None:
            file.remove()
            _remove_directories(self._made)

    def go_on_in_child(self) -> None:
        """Leaves the parent's file alone: the next event begins one of this forked child's own, and tells SW505."""
        self._parent, self.pid = self.pid, os.getpid()
        for file in (self._file, self._aside[0] if self._aside else None):
            if isinstance(file, LocalFile):
                with contextlib.suppress(OSError):
                    file.close()  # the child's copy of the descriptor; the parent's stays open
        self._file = self._direct = None
        self._aside = None
        self._queue = None  # its thread did not come along, and what it holds is the parent's
        self._busy = self._lent = self._interrupted = self._close_asked = False
        self.parts, self._last_error = [], None
        self.accepted = self.failed_calls = self._unstored = self._told = 0


def _events_in(reader: BinaryIO, written: int) -> tuple[int, int]:
    """How many of our events, and bytes, can be read in a file.

    Args:
        reader: The file.
        written: Events that we wrote to it.
    """
    records, end = count_records(reader)
    first = next(read_events(reader), None)
    has_version = first is not None and bool(first.file_version)  # what was truncated to nothing begins without
    return min(records - has_version, written), end


def _threads_are_slow(seconds: float) -> bool:
    """Whether a write took so long because other threads keep the interpreter busy, and not because of the storage.

    Args:
        seconds: What the write took.
    """
    waits = []
    for _ in range(3):
        started = time.monotonic()
        time.sleep(0)  # gives the interpreter away and waits for it, as a write does
        waits.append(time.monotonic() - started)
    return sorted(waits)[1] > seconds / 3


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
                    os.stat(directory)  # a link that leads nowhere, or in a circle, says so itself
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), directory) from None
    except BaseException:
        _remove_directories(made)
        raise
    return made


def _remove_directories(made: list[str]) -> None:
    for directory in made:
        with contextlib.suppress(OSError):
            os.rmdir(directory)

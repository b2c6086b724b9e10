"""The event files of one writer, one after the other: where they are, what is in them, what became of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import BinaryIO, NamedTuple, NoReturn, Protocol

from safewriter.checks.landing import (
    Fate,
    event_file_gone,
    events_lost,
    flush_failed,
    judge_state,
    stays_in_directory,
    too_large,
    used_after_fork,
    write_failed,
)
from safewriter.eventfile.local import FileState, LocalFile
from safewriter.eventfile.messages import FILE_VERSION, Event
from safewriter.eventfile.names import new_name
from safewriter.eventfile.read import count_records, read_events
from safewriter.eventfile.record import record_of
from safewriter.findings import Desk, Finding, is_a_handlers
from safewriter.recording.backend import Part
from safewriter.system import process
from safewriter.system.directories import make_directories, remove_directories


class EventFile(Protocol):
    """One event file on some storage."""

    path: str
    size: int
    torn: bool

    def write(self, records: bytes) -> None:
        """Appends records, so that other readers see them; all of them or none, or else the file is ``torn``."""

    def state(self) -> FileState | None:
        """What is found of the file now; None where that can't be known."""

    def reader(self) -> BinaryIO:
        """The file that we wrote, opened for reading from its start."""

    def reached(self) -> int:
        """How many records a reader finds behind the last one that is known to have been written."""

    def cut_to(self, size: int) -> None:
        """Truncates the file to ``size``."""

    def sync(self) -> None:
        """Syncs the file to the storage."""

    def close(self) -> None:
        """Closes the file."""

    def remove(self) -> None:
        """Removes the file again, as far as that is possible."""


def try_out(directory: str, records: bytes = b"") -> None:
    """Shows that an event file can be created in a local directory, which is made, and written to.

    Raises:
        OSError: It can't.
    """
    make_directories(directory)
    file = LocalFile(os.path.join(directory, new_name(".probe")))
    try:
        file.write(records)
    finally:
        file.remove()


class Opened(NamedTuple):
    """A file that can be written to, with its account."""

    file: EventFile
    part: Part


class _Creator:
    """Creates event files in a directory, under names that no other file has."""

    def __init__(self, directory: str, suffix: str, open_file: Callable[[str], EventFile] | None) -> None:
        self._directory = directory
        self._suffix = suffix
        self._open_file = open_file
        self._made: list[str] = []  # directories made for the newest file

    def open(self) -> Opened:
        """A new file with its version record, in a directory that is made again where it is gone.

        Raises:
            OSError: It can't be created; nothing is left behind.
        """
        made: list[str] = []
        try:
            if self._open_file is None:
                made = make_directories(self._directory)
            file = self._create_unique()
            try:
                version = Event(wall_time=time.time(), file_version=FILE_VERSION)
                file.write(record_of(version.SerializeToString()))
            except BaseException:
                file.remove()
                raise
        except BaseException:
            remove_directories(made)
            raise
        self._made = made
        return Opened(file, Part(file.path, size=file.size))

    def _create_unique(self) -> EventFile:
        create = self._open_file or LocalFile
        while True:
            try:
                return create(os.path.join(self._directory, new_name(self._suffix)))
            except FileExistsError:  # a container with our host name and pid was quicker; the next number is free
                continue

    def take_back(self, opened: Opened) -> None:
        """Removes the newest file again, and the directories that were made for it."""
        opened.file.remove()
        remove_directories(self._made)


class _Losses:
    """What one writer lost, in memory or with its files: counted, and named once.

    Attributes:
        unstored: Events that were given up in memory.
        last_error: The newest error of the storage.
        named: Lost events that SW503 or an earlier sum has named.
    """

    def __init__(self, files: EventFiles, desk: Desk, report: Callable[[Finding], None]) -> None:
        self._files = files
        self._desk = desk
        self._report = report
        self.begin()

    def begin(self) -> None:
        """Begins anew, in a forked child."""
        self.unstored = self.named = self._failed_calls = 0
        self.last_error: OSError | None = None

    def fail(self, error: OSError, pending: int = 0) -> NoReturn:
        """Raises the exception for an add that failed (SW502); the sum at close names it."""
        if is_a_handlers(error):
            raise error
        files = self._files
        self.last_error = error
        self._failed_calls += 1
        kept = files.events - sum(part.lost for part in files.parts)
        raise self._desk.error_from(lambda: write_failed(files.path, error, kept, pending), error) from error

    def refused(self, error: Exception) -> BaseException:
        """The exception for an event that protobuf can't serialize (SW502)."""
        self._failed_calls += 1
        return self._desk.error_from(lambda: too_large(self._files.path, str(error)), error)

    def fail_to_flush(self, error: OSError, pending: int) -> NoReturn:
        """Raises the exception for a flush that failed (SW502); what is pending is tried again."""
        if is_a_handlers(error):
            raise error
        self.last_error = error
        raise self._desk.error_from(lambda: flush_failed(self._files.path, error, pending), error) from error

    def sum_up(self) -> list[Finding]:
        """SW502, where accepted events are lost that nothing has named yet, or adds failed. Each is named once."""
        lost = self._files.lost
        unnamed, calls = lost - self.named, self._failed_calls
        if not unnamed and not calls:
            return []
        found = [events_lost(self._files.path, self.last_error, unnamed, calls)]
        self.named, self._failed_calls = lost, 0
        return found

    def gone(self, parts: Iterable[Part]) -> dict[str, int]:
        """Of some finished files, those that are gone: the events lost with each. Remote ones are not asked for."""
        gone = {}
        if not self._files.remote:
            for part in parts:
                if part.landed and not os.path.exists(part.path):
                    gone[part.path] = part.landed
                    part.lost, part.landed = part.lost + part.landed, 0
        return gone

    def report_gone(self) -> None:
        """SW503, where files are gone since the last one was given up and no new one could be begun."""
        gone = self.gone([part for part in self._files.parts if part.final])
        if not gone:
            return
        events = sum(gone.values())
        path, lost = gone.popitem()
        state = FileState(path, 0, None, at_path=None, linked=False, directory=os.path.isdir(os.path.dirname(path)))
        finding = event_file_gone(state, Fate.DELETED, lost, lost, "", gone)
        self._report(replace(finding, subject=f"gone:{path}"))  # not to be taken for a finding of it that was reported
        self.named += events


class EventFiles:
    """Creates the files of a writer, appends to the newest, looks after it, and goes on in another where it must.

    It knows nothing of queues, threads and signals: one thread at a time calls it. Only ``append_in_between`` may
    come in the middle of another call.

    Args:
        directory: The log directory, absolute or a URL. It must exist where ``open_file`` is given.
        suffix: What the names of the files end with.
        desk: The writer's: faults of our own are reported there.
        report: Takes findings that the writer reports when its call is over: SW503 and SW505.
        open_file: Creates a file at a path; None for local ones.

    Attributes:
        parts: The account of each file.
        generation: Files begun so far.
        losses: What could not be brought to them.

    Raises:
        OSError: The first file can't be created or written to; nothing is left behind.
    """

    def __init__(
        self,
        directory: str,
        suffix: str = "",
        *,
        desk: Desk,
        report: Callable[[Finding], None],
        open_file: Callable[[str], EventFile] | None = None,
    ) -> None:
        self.directory = directory
        self.parts: list[Part] = []
        self.generation = 0
        self.remote = open_file is not None
        self.losses = _Losses(self, desk, report)
        self._creator = _Creator(directory, suffix, open_file)
        self._desk = desk
        self._report = report
        self._current: Opened | None = None
        self._newer: list[Opened] = []  # begun by calls that re-entered
        self._parent: int | None = None  # the process that we were forked from, until SW505 is reported
        self.begin()

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self.parts[-1].path if self.parts else self.directory

    @property
    def events(self) -> int:
        """Events that were written to files."""
        return sum(part.events for part in self.parts)

    @property
    def settled(self) -> int:
        """Those, and events that were given up in memory: what waits for nothing any more."""
        return self.events + self.losses.unstored

    @property
    def landed(self) -> int:
        """Events that were found on disk at the last look."""
        return sum(part.landed for part in self.parts)

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""
        return sum(part.lost for part in self.parts) + self.losses.unstored

    # Writing.

    @property
    def torn(self) -> bool:
        """Whether there is a file that can't be written to any more."""
        return self._current is not None and self._current.file.torn

    def append(self, records: bytes) -> Part:
        """Writes records; the caller counts their events on the part that is returned.

        Raises:
            OSError: None was written, or the file is ``torn``.
        """
        current = self.prepare()
        current.file.write(records)
        return current.part

    def append_in_between(self, record: bytes) -> bool:
        """Writes one record in the middle of another call: to a newer file, in which later events go on.

        The interrupted call may be anywhere in its write, and whether it is over can't be known. Readers go from file
        to file in the order of their names, and never back.

        Returns:
            Whether a file was begun for it, which ``go_on_in_newest`` must make the current one.

        Raises:
            OSError: It was not written.
        """
        begins = not self._newer
        # Taken away meanwhile: this call may be interrupted too.
        opened = self._creator.open() if begins else self._newer.pop()
        if begins:
            self.parts.append(opened.part)
        try:
            opened.file.write(record)
            opened.part.events += 1
        finally:
            self._newer.append(opened)
        opened.part.landed, opened.part.size = opened.part.events, opened.file.size
        return begins

    def go_on_in_newest(self, *, closed: bool) -> None:
        """Finishes all files but the newest that a re-entering call began; that one too where the writer is closed."""
        while self._newer:
            current = self._current
            files = [*self._newer, *([] if current is None else [current])]
            newest = max(files, key=lambda opened: opened.part.path)
            for opened in files:
                if opened is not current:  # taken out before it is closed: another handler may write meanwhile
                    self._newer.remove(opened)
                if opened is not newest:
                    self._finish(opened)
            if newest is not current:
                self._adopt(newest)
            if closed:
                self.end()

    def prepare(self) -> Opened:
        """The file for the next event; it is begun where there is none.

        Raises:
            OSError: It can't be created.
        """
        current = self._current
        if current is None or current.file.torn:
            self._give_up_torn()
            current = self.begin()
        return current

    def renew(self) -> int:
        """Goes on in a new file, which replaces one that is torn.

        Returns:
            How many records behind the last one that is known to have been written had reached the old file.

        Raises:
            OSError: Not now.
        """
        torn = self._current
        reached = 0 if torn is None else _reached(torn, sure=self.remote)
        self._open_next()
        if torn is not None:
            _give_back(torn, reached)
        return reached

    # Files.

    def begin(self) -> Opened:
        """Begins a new file, in a directory that is made again where it is gone.

        Raises:
            OSError: It can't be created.
        """
        opened = self._open_next()
        if self._parent is not None:
            parent, self._parent = self._parent, None
            with self._desk.guard("fork"):
                self._report(used_after_fork(parent, process.pid, self.path))
        return opened

    def _open_next(self) -> Opened:
        opened = self._creator.open()
        self.parts.append(opened.part)
        self._adopt(opened)
        return opened

    def _give_up_torn(self) -> None:
        """Closes the account of a file that can't be written to any more, where there is one."""
        torn = self._current
        if torn is not None:
            _retire(torn, self._desk)
        with self._desk.guard("event files"):
            self.losses.report_gone()
        self._current = None

    def _adopt(self, opened: Opened) -> None:
        self._current = opened
        self.generation += 1

    # Looking.

    def look(self) -> None:
        """Compares what is on disk with what was written; where the file is gone, goes on in a new one (SW503)."""
        with self._desk.guard("event file"):
            self._look(self._current, goes_on=True)

    def _look(self, current: Opened | None, *, goes_on: bool) -> None:
        if current is None or current.file.torn:
            self.losses.report_gone()
            return
        file, part = current
        if part.final:  # given up by a close that an exception of a handler's has left
            return
        try:
            state = file.state()
        except OSError as error:  # it can't be known now: nothing counts as landed that was not seen
            if is_a_handlers(error):
                raise
            self.losses.last_error = error
            return
        if state is None:
            return
        fate = judge_state(state)
        if fate is Fate.INTACT:
            part.landed, part.size = part.events, file.size
            return
        part.landed = 0
        with self._desk.guard("event file"):
            part.landed = _still_there(file, state, fate, part)
        file.torn = goes_on  # whatever comes in between now, the next write begins a new file
        part.lost, part.final = part.events - part.landed, True
        gone: dict[str, int] = {}
        with self._desk.guard("event files"):
            gone = self.losses.gone(self.parts[:-1])
        where = self._replace(file) if goes_on else None
        if part.events or gone:
            self._report(event_file_gone(state, fate, part.events, part.lost, where, gone))
            self.losses.named += part.lost + sum(gone.values())

    def _replace(self, file: EventFile) -> str:
        """Begins a new file to replace one that is gone; returns its path, empty where none can be created yet."""
        with contextlib.suppress(OSError):
            file.close()
        try:
            return self._open_next().part.path
        except OSError as error:
            self.losses.last_error = error
            return ""

    # Ends.

    def end(self) -> None:
        """Syncs the current file to the storage and closes it; goes on where an exception of a handler's left it."""
        current = self._current
        if current is None or current.file.torn:
            self._give_up_torn()
        else:
            self._finish(current)
            self._current = None

    def _finish(self, opened: Opened) -> None:
        file, part = opened
        seen = self.remote or self._last_look(opened)
        failure = _sync_and_close(file)
        if self.remote:  # most of these file systems store a file when it is closed
            seen = self._last_look(opened)
        if part.final:  # it was given up
            return
        part.final = True
        if failure is not None:
            self.losses.last_error = failure
            part.landed = part.landed if self.remote else 0
        if seen or failure is not None:
            part.lost = part.events - part.landed

    def _last_look(self, opened: Opened) -> bool:
        """Looks at a file that is to be finished; whether that brought nothing of our own to fail."""
        with self._desk.guard("event file"):
            self._look(opened, goes_on=False)
            return True
        return False

    def remove(self) -> None:
        """Removes what a constructor that failed has created."""
        current, self._current = self._current, None
        if current is not None:
            self._creator.take_back(current)

    def leave_to_parent(self, parent: int) -> None:
        """In a forked child: lets go of the parent's files and account; the next event begins a file of the child's."""
        for opened in (self._current, *self._newer):
            if opened is not None and isinstance(opened.file, LocalFile):
                with contextlib.suppress(OSError):
                    opened.file.close()  # the child's copy of the descriptor; the parent's stays open
        self._parent = parent
        self._current = None
        self.parts, self._newer = [], []
        self.losses.begin()


class OnFiles:
    """The part of a backend's account that its files hold."""

    def __init__(self, files: EventFiles) -> None:
        self._files = files

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, with what is in it."""
        return self._files.parts

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self._files.path

    @property
    def generation(self) -> int:
        """How many files were begun so far."""
        return self._files.generation

    @property
    def landed(self) -> int:
        """Events that were found on disk at the last look."""
        return self._files.landed

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""
        return self._files.lost


def _retire(torn: Opened, desk: Desk) -> None:
    """Closes the account of a file that can't be written to any more: what can be read in it has landed."""
    file, part = torn
    if not part.final:
        part.final = True
        with desk.guard("event file"), contextlib.suppress(OSError), file.reader() as reader:
            part.landed, part.size = _events_in(reader, part.events)
        part.lost = part.events - part.landed
    with contextlib.suppress(OSError):
        file.close()


def _reached(torn: Opened, *, sure: bool) -> int:
    """How many records had reached a torn file that is given up; ``sure`` where none may be written twice.

    Raises:
        OSError: That can't be known now, and must be.
    """
    if torn.part.final:
        return 0
    try:
        return torn.file.reached()
    except OSError:
        if sure:
            raise
        return 0


def _give_back(torn: Opened, reached: int) -> None:
    """Closes a torn file in whose place another goes on, and books what had reached it."""
    with contextlib.suppress(OSError):
        torn.file.close()
    if not torn.part.final:
        torn.part.events += reached
        torn.part.landed, torn.part.final = torn.part.events, True


def _sync_and_close(file: EventFile) -> OSError | None:
    """Does both; the last error, if there was one."""
    failure = None
    for step in (file.sync, file.close):
        try:
            step()
        except OSError as error:
            if is_a_handlers(error):
                raise
            failure = error
    return failure


def _still_there(file: EventFile, state: FileState, fate: Fate, part: Part) -> int:
    """How many events of a file that is not as it was can still be read in the log directory."""
    if fate in (Fate.DELETED, Fate.REPLACED) or (fate is Fate.MOVED and not stays_in_directory(state)):
        return 0
    with contextlib.suppress(OSError):
        with file.reader() as reader:
            events, end = _events_in(reader, part.events)
        if state.size is not None and state.size < state.expected_size:
            file.cut_to(end)
        part.size = end
        part.path = state.now_at or part.path
        return events
    return 0


def _events_in(reader: BinaryIO, written: int) -> tuple[int, int]:
    """How many of the events that we wrote to a file, and how many bytes, can be read in it."""
    records, end = count_records(reader)
    first = next(read_events(reader), None)
    has_version = first is not None and bool(first.file_version)  # what was truncated to nothing begins without
    return min(records - has_version, written), end

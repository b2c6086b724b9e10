"""Event files that TensorFlow writes, read as they grow."""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from collections.abc import Callable, Iterator
from typing import IO, Any

import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event

from safewriter.checks.landing import Fate, judge_state, stays_in_directory
from safewriter.eventfile.local import FileState, LocalFile, Whereabouts
from safewriter.eventfile.messages import NotAnEventError, parse_event
from safewriter.eventfile.names import MARK
from safewriter.eventfile.read import RecordReader, count_records, records_in_common
from safewriter.eventfile.record import record_of
from safewriter.recording import gfile
from safewriter.recording.backend import Backend, Part
from safewriter.recording.files import try_out
from safewriter.system.directories import make_directories

FAILURES = (OSError, tf.errors.OpError)  #: what looking at files, and copying them, may fail with

_CHUNK = 1 << 14  # bytes that are read between two looks at the clock: some 250 events of a scalar
_TAIL = 16  # bytes of the last record that is read, by which it is known again
_SETTLES = 0.005  # seconds after which a record that is being written is whole
_RESCUED = ".rescued"
_INTERRUPTED = 8  # writes that signal handlers, one in the middle of the other, may have begun
_VERSION = record_of(Event(file_version="brain.Event:2").SerializeToString())


class GrowingFile:
    """Reads on behind what it has read; on a local disk also when the file's name is gone.

    Args:
        path: Where it is: a local path, or a URL of ``tf.io.gfile``.
        remote: The latter.
        take: Is called with each event, parsed; None where they are only counted.

    Attributes:
        part: The account of the file: ``events`` and ``landed`` are what was read.

    Raises:
        OSError: It can't be opened.
    """

    def __init__(self, path: str, *, remote: bool, take: Callable[[Any], None] | None) -> None:
        self.part = Part(path)
        self._remote = remote
        self._take = take
        self._begun = False  # the version record was read
        self._tail = b""
        self._cut = False
        self.torn = False  #: a record was cut short in it
        self._handed_to = 0  # offset up to which events were handed on while they were copied
        self._file = self._open()
        try:
            self._reader = RecordReader(self._file, resume=False, chunk=_CHUNK)
            if not remote:
                self._whereabouts = Whereabouts(self._file.fileno(), path)
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> IO[bytes]:
        path = self.part.path
        return gfile.reader(path) if self._remote else open(path, "rb", buffering=0)

    def read(self, seconds: float | None = None) -> bool:
        """Counts each new event, and hands it on.

        Args:
            seconds: After which it stops between two chunks of the file; None to read it all.

        Returns:
            Whether all was read that is there.
        """
        part = self.part
        if part.final:
            return True
        if self._remote:
            with contextlib.suppress(Exception):
                self._file.close()
            self._file = self._open()
            self._reader.reopen(self._file)
        elif self._was_cut():
            self._cut = True
        stop = None if seconds is None else time.monotonic() + seconds
        for batch in self._reader.batches():
            for data in batch:
                if not self._begun:
                    self._begun = True
                    continue
                part.events += 1
                self._hand_on(data)
            part.landed, part.size = part.events, self._reader.offset
            self._tail = b"" if self._remote else self._at(max(part.size - _TAIL, 0), _TAIL)
            if stop is not None and time.monotonic() > stop:
                return False
        return True

    def _hand_on(self, data: bytes) -> None:
        if self._take is not None:
            with contextlib.suppress(NotAnEventError):
                self._take(parse_event(data))

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def fate(self) -> tuple[Fate, FileState]:
        """What became of the file, and what is found of it. That it grows is TensorFlow's doing.

        TensorFlow writes on at its own offset where a file was truncated, so that its size says nothing soon after.

        Raises:
            OSError: It can't be known now.
        """
        path, size = self.part.path, self.part.size
        if self._remote:
            there = bool(tf.io.gfile.exists(path))
            state = FileState(path, size, size if there else None, at_path=there or None, directory=there)
        else:
            state = self._whereabouts.state(size)
        fate = judge_state(state)
        if fate in (Fate.INTACT, Fate.GROWN):
            fate = Fate.TRUNCATED if self._cut or self._was_cut() else Fate.INTACT
        return fate, state

    def _was_cut(self) -> bool:
        """Whether the end of what was read is not there any more."""
        return bool(self._tail) and self._at(max(self.part.size - _TAIL, 0), len(self._tail)) != self._tail

    def grown_to(self) -> int:
        """Bytes in the file; of a remote one, those that were read."""
        return self.part.size if self._remote or self.part.final else os.fstat(self._file.fileno()).st_size

    def is_torn(self) -> bool:
        """Whether what stands behind the last whole record is no record, and does not become one either."""
        if self.grown_to() <= self._reader.offset:
            return False
        before = self._reader.offset
        time.sleep(_SETTLES)  # another thread may be writing it
        return self.read() and self._reader.offset == before and self.grown_to() > before

    # When TensorFlow no longer writes to it.

    def settle(self, fate: Fate, state: FileState, directory: str) -> Part | None:
        """Copies what can't be read in the log directory from where it is into a file of its own there.

        Behind the name of this one, which it has with an ending of its own, come the names of files that were begun
        later: TensorBoard reads the files of a run in that order. ``part.landed`` says what can be read afterwards.

        Args:
            fate: What became of the file.
            state: What was found of it.
            directory: Where the copy is created; made where it is gone.

        Returns:
            The copy, if there is one.

        Raises:
            OSError: The copy can't be created or written; nothing is left of it.
        """
        part = self.part
        if fate is Fate.INTACT and self.grown_to() <= self._reader.offset:
            return None
        self.torn = fate is Fate.INTACT
        part.landed = 0
        if fate is Fate.MOVED and not stays_in_directory(state):
            for _ in self._behind(0):  # all are counted
                pass
            return None
        part.landed, end = self._readable(fate)
        if self._remote:
            return None
        copy = self._copy(directory, part.landed)
        if copy is not None:
            part.landed += copy.events
        if fate in (Fate.INTACT, Fate.TRUNCATED):
            os.truncate(part.path, end)  # the torn rest, at which TensorFlow's reader would raise
        return copy

    def _readable(self, fate: Fate) -> tuple[int, int]:
        """Events that another program reads in the log directory, up to the first damaged record, and its offset."""
        if fate is Fate.DELETED:
            return 0, 0
        if self._remote:
            return self.part.events, self.part.size
        if fate is Fate.REPLACED:
            records, end = records_in_common(self._file, self.part.path)
        else:
            records, end = count_records(self._file)
        return max(records - 1, 0), end

    def _copy(self, directory: str, after: int) -> Part | None:
        copy: LocalFile | None = None
        part: Part | None = None
        behind = self._behind(after)
        try:
            for data in behind:
                if copy is None or part is None:
                    make_directories(directory)
                    copy = LocalFile(os.path.join(directory, os.path.basename(self.part.path) + _RESCUED))
                    copy.write(_VERSION)
                    part = Part(copy.path, final=True)
                copy.write(record_of(data))
                part.events += 1
                part.landed, part.size = part.events, copy.size
        except BaseException:
            if copy is not None:
                copy.remove()
            for _ in behind:  # they are counted all the same
                pass
            raise
        if copy is not None:
            copy.close()
        return part

    def _behind(self, after: int) -> Iterator[bytes]:
        """All whole records but the first events; those that were not read until now are counted and handed on."""
        read_to = max(self._reader.offset, self._handed_to)
        seen = 0
        for offset, data in RecordReader(self._file, resume=True).placed():
            if b"brain.Event:" in data[:64] and offset == 0:
                continue  # the version record
            seen += 1
            if offset >= read_to:
                self._handed_to = offset + 1
                self.part.events += 1
                self._hand_on(data)
            if seen > after:
                yield data

    def close(self) -> None:
        """Gives the descriptor back."""
        self.part.final = True
        with contextlib.suppress(Exception):
            self._file.close()


class ResourceFiles:
    """The files of one resource of TensorFlow's, and what the writers that share it have in common.

    Args:
        directory: The log directory: an absolute path, or a URL.
        ending: Of their names: a token and the suffix that the user asked for.
        remote: The directory is a URL.
        take: See ``GrowingFile``.

    Attributes:
        rescued: Copies of events that are in none of them any more.
        endings: Where writers share a resource, that of each: whoever opened it has named the file.
        takers: The backends that write through the resource.
        closed_by: The line that created the writer which closed the resource.
        down: The resource was closed by us, and could not be made anew.
        gone: Something became of one of the files.
    """

    def __init__(self, directory: str, ending: str, *, remote: bool, take: Callable[[Any], None] | None) -> None:
        self.directory = directory
        self.remote = remote
        self.endings = {ending}
        self.rescued: list[Part] = []
        self.takers: weakref.WeakSet[Backend] = weakref.WeakSet()
        self.closed_by: str | None = None
        self.down = False
        self.gone = False
        self._missing = 0  # events of which it has been reported that they are in no file
        self._take = take
        self._by_path: dict[str, GrowingFile] = {}

    @property
    def all(self) -> list[GrowingFile]:
        """Each file of the resource, in the order of their beginning."""
        return list(self._by_path.values())

    def find(self) -> bool:
        """Opens files that the resource has begun since the last look; whether there is any."""
        names: list[str] = []
        with contextlib.suppress(*FAILURES):
            names += sorted(tf.io.gfile.listdir(self.directory) if self.remote else os.listdir(self.directory))
        join = "{}/{}".format if self.remote else os.path.join
        for name in names:
            mine = MARK in name and f".{os.getpid()}." in name and name.endswith(tuple(self.endings))
            path = join(self.directory, name)
            if mine and path not in self._by_path:
                with contextlib.suppress(*FAILURES):
                    file = GrowingFile(path, remote=self.remote, take=self._take)
                    if self._by_path.setdefault(path, file) is not file:  # a signal handler has found it meanwhile
                        file.close()
        return bool(self._by_path)

    @property
    def current(self) -> GrowingFile | None:
        """The file that is written to, or was last."""
        return next(reversed(self._by_path.values()), None)

    @property
    def events(self) -> int:
        """Events that were found in all files, also in those that are gone."""
        return sum(file.part.events for file in self.all)

    @property
    def landed(self) -> int:
        """Those that are in the log directory."""
        return sum(file.part.landed for file in self.all)

    def newly_missing(self, written: int) -> int:
        """Events that were written and are in no file, though all was read; of those, what was not asked for before.

        TensorFlow raises for some of them only: on a full disk it drops an event above 4 kB in silence. Where no record
        was cut short, a few may be of calls that signal handlers interrupt now, or have ended.

        Args:
            written: How many are known to have been; 0 where that is not known.
        """
        missing = max(written - self.events, 0) if self.all else 0
        if missing <= _INTERRUPTED and not any(file.torn for file in self.all):
            return 0
        more, self._missing = max(missing - self._missing, 0), max(missing, self._missing)
        return more

    def unfinished(self) -> list[GrowingFile]:
        """Files that are open."""
        return [file for file in self.all if not file.part.final]

    def read(self, seconds: float | None = None) -> bool:
        """Reads on in each; see ``GrowingFile.read``."""
        done = True
        for file in self.all:
            try:
                done = file.read(seconds) and done
            except FAILURES:  # of a remote one that is gone: what became of it is asked next
                done = False
        return done

    def is_gone(self, file: GrowingFile, *, read_all: bool) -> bool:
        """Whether something has become of a file, and a new one can be begun now.

        Args:
            file: The one that is written to.
            read_all: All that is in it was read.
        """
        fate, _ = file.fate()
        if fate is Fate.INTACT and not (read_all and not self.remote and file.is_torn()):
            return False
        with contextlib.suppress(OSError):
            if not self.remote:
                try_out(self.directory, _VERSION)
            return True
        return False

    def settle(self, file: GrowingFile, fate: Fate, state: FileState, *, last_try: bool) -> OSError | None:
        """Finishes a file that TensorFlow no longer writes to. See ``GrowingFile.settle``.

        Returns:
            What a copy failed with; then the file is left as it is, unless this was the last try.
        """
        failure: OSError | None = None
        try:
            copy = file.settle(fate, state, self.directory)
            if copy is not None:
                self.rescued.append(copy)
        except FAILURES as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
        if failure is None or last_try:
            file.part.lost = file.part.events - file.part.landed
            file.close()
        return failure

    def forget(self) -> None:
        """In a forked child: the files are the parent's."""
        for file in self.all:
            file.close()
        self._by_path, self.rescued, self._missing = {}, [], 0

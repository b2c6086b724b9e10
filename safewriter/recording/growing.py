"""An event file that TensorFlow writes, read as it grows."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event

from safewriter.checks.landing import Fate, judge_state
from safewriter.eventfile.local import FileState, LocalFile
from safewriter.eventfile.messages import NotAnEventError, parse_event
from safewriter.eventfile.names import MARK, new_name
from safewriter.eventfile.read import RecordReader, count_records
from safewriter.recording.backend import Part
from safewriter.system.directories import make_directories


def files_with(directory: str, token: str, *, remote: bool) -> list[str]:
    """The event files of this process whose name holds a token, in the order of their names; none where it fails."""
    names: list[str] = []
    with contextlib.suppress(OSError, tf.errors.OpError):
        names += sorted(tf.io.gfile.listdir(directory) if remote else os.listdir(directory))
    join = "{}/{}".format if remote else os.path.join
    return [join(directory, name) for name in names if token in name and MARK in name and f".{os.getpid()}." in name]


class _Remote:
    """A file of ``tf.io.gfile`` whose ``seek`` says where it is, as Python's files do."""

    def __init__(self, path: str) -> None:
        self._file = tf.io.gfile.GFile(path, "rb")
        self.read = self._file.read
        self.close = self._file.close

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._file.seek(offset, whence)
        return int(self._file.tell())


class GrowingFile:
    """Reads on behind what it has read; on a local disk also when the file's name is gone.

    Args:
        path: Where it is: a local path, or a URL of ``tf.io.gfile``.
        remote: The latter.

    Attributes:
        part: The account of the file: ``events`` and ``landed`` are what was read.

    Raises:
        OSError: It can't be opened.
    """

    def __init__(self, path: str, *, remote: bool) -> None:
        self.part = Part(path)
        self._remote = remote
        self._file: IO[bytes] = self._open()
        self._reader = RecordReader(self._file, resume=False)
        found = None if remote else os.fstat(self._file.fileno())
        self._id = None if found is None else (found.st_dev, found.st_ino)
        self._begun = False  # the version record was read

    def _open(self) -> Any:
        path = self.part.path
        return _Remote(path) if self._remote else open(path, "rb", buffering=0)

    def read(self, take: Callable[[Any], None], seconds: float | None = None) -> bool:
        """Hands each new event on.

        Args:
            take: Is called with each, parsed.
            seconds: After which it stops between two chunks of the file; None to read it all.

        Returns:
            Whether all was read that is there.
        """
        if self.part.final:
            return True
        if self._remote:
            with contextlib.suppress(Exception):
                self._file.close()
            self._file = self._open()
            self._reader.reopen(self._file)
        stop = None if seconds is None else time.monotonic() + seconds
        for batch in self._reader.batches():
            for data in batch:
                if not self._begun:
                    self._begun = True
                    continue
                self.part.events += 1
                with contextlib.suppress(NotAnEventError):
                    take(parse_event(data))
            self.part.landed = self.part.events
            self.part.size = self._reader.offset
            if stop is not None and time.monotonic() > stop:
                return False
        return True

    def state(self) -> FileState:
        """What is found of the file now.

        Raises:
            OSError: It can't be known now.
        """
        path, size = self.part.path, self.part.size
        if self._remote:
            there = bool(tf.io.gfile.exists(path))
            return FileState(path, size, size if there else None, at_path=there or None, directory=there)
        ours = os.fstat(self._file.fileno())
        try:
            found = os.stat(path)
            at_path: bool | None = (found.st_dev, found.st_ino) == self._id
        except OSError:
            at_path = None
        now_at = None
        if not at_path and ours.st_nlink:
            with contextlib.suppress(OSError):
                now_at = os.readlink(f"/proc/self/fd/{self._file.fileno()}")
        directory = os.path.isdir(os.path.dirname(path))
        return FileState(path, size, ours.st_size, at_path, ours.st_nlink > 0, directory, now_at)

    def fate(self) -> tuple[Fate, FileState]:
        """What became of the file. That it grows is TensorFlow's doing."""
        state = self.state()
        fate = judge_state(state)
        return (Fate.INTACT if fate is Fate.GROWN else fate), state

    def grown_to(self) -> int:
        """Bytes in the file; of a remote one, those that were read."""
        return self.part.size if self._remote or self.part.final else os.fstat(self._file.fileno()).st_size

    @property
    def damaged(self) -> bool:
        """Whether something is behind the last whole record. Only to be asked when TensorFlow no longer writes."""
        return not self._remote and os.fstat(self._file.fileno()).st_size > self._reader.offset

    def whole_records(self) -> int:
        """Events that another program reads in the file as it is now, up to its end or the first damaged record."""
        return 0 if self._remote else max(count_records(self._file)[0] - 1, 0)

    def rescue(self, directory: str, *, after: int) -> Part | None:
        """Copies events into a file of their own, where TensorFlow no longer writes to this one.

        Args:
            directory: Where the new file is created; made where it is gone.
            after: How many of the first events are left out: they can be read where they are.

        Returns:
            The account of the new file; None where there was nothing to copy.

        Raises:
            OSError: It can't be created or written.
        """
        if self._remote:
            return None
        copy: LocalFile | None = None
        part: Part | None = None
        try:
            for data in self._behind(after):
                if copy is None:
                    make_directories(directory)
                    copy = LocalFile(os.path.join(directory, new_name(".rescued")))
                    copy.write(_VERSION)
                    part = Part(copy.path, final=True)
                copy.write(data)
                assert part is not None
                part.events += 1
                part.landed, part.size = part.events, copy.size
        finally:
            if copy is not None:
                copy.close()
        return part

    def _behind(self, after: int) -> Iterator[bytes]:
        self._file.seek(0)
        records = RecordReader(self._file, resume=True).placed()
        seen = 0
        for offset, data in records:
            if offset == 0 and b"brain.Event:" in data[:64]:
                continue  # the version record
            seen += 1
            if seen > after:
                yield data

    def close(self) -> None:
        """Gives the descriptor back."""
        self.part.final = True
        with contextlib.suppress(Exception):
            self._file.close()


_VERSION: bytes = Event(file_version="brain.Event:2").SerializeToString()

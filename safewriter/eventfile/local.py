"""One event file on a local path: its descriptor, its offset, and what became of it."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from typing import IO, BinaryIO

from safewriter.eventfile.read import RecordReader, count_records
from safewriter.eventfile.record import OVERHEAD

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # file systems that have no fsync
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ELOOP)  # ESTALE: NFS, of a file that another host removed


@dataclass(frozen=True)
class FileState:
    """What is found of an event file, beside what was written. Plain facts: the landing judge compares them.

    Attributes:
        path: Where the file was created.
        expected_size: Bytes that we wrote, whole records only.
        size: Bytes that the file which we wrote has now; None where that can't be known (remote, and gone).
        at_path: Whether what is at ``path`` now is the file that we wrote; None when nothing is there.
        linked: Whether the file still has a name in some directory.
        directory: Whether the directory is still there.
        now_at: Where the file is now, if it was moved and the system can tell.
    """

    path: str
    expected_size: int
    size: int | None
    at_path: bool | None
    linked: bool = True
    directory: bool = True
    now_at: str | None = None


class Whereabouts:
    """Knows a file by its descriptor, and finds out where it is now.

    Args:
        fd: The file, open; whoever opened it closes it.
        path: Where it was created.

    Raises:
        OSError: It can't be looked at.
    """

    def __init__(self, fd: int, path: str) -> None:
        self._fd = fd
        self._path = path
        found = os.fstat(fd)
        self._id = (found.st_dev, found.st_ino)
        # Some FUSE mounts number a file anew at each look; there, only existence and size can be compared.
        self._ids_are_stable = self._id_at_path() == self._id

    def _id_at_path(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise
        return (found.st_dev, found.st_ino)

    def state(self, expected_size: int) -> FileState:
        """What is found of the file now, beside the size that whole records make up.

        Raises:
            OSError: It can't be known now.
        """
        directory = os.path.isdir(os.path.dirname(self._path))
        try:
            ours = os.fstat(self._fd)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return FileState(self._path, expected_size, None, at_path=None, linked=False, directory=directory)
        found = self._id_at_path()
        at_path = None if found is None else (found == self._id if self._ids_are_stable else True)
        return FileState(
            path=self._path,
            expected_size=expected_size,
            size=ours.st_size,
            at_path=at_path,
            linked=ours.st_nlink > 0,
            directory=directory,
            now_at=None if at_path or ours.st_nlink == 0 else self._now_at(),
        )

    def _now_at(self) -> str | None:
        try:
            return os.readlink(f"/proc/self/fd/{self._fd}")
        except OSError:  # not Linux
            return None


class LocalFile:
    """An event file that this process creates, appends to record by record, and watches.

    Nothing is buffered here: when ``write`` returns, the operating system has the record. A write that fails, or is cut
    short, is taken back to the last whole record, so that the file can be read at any time.

    Args:
        path: The file; it must not exist yet.

    Raises:
        OSError: It can't be created.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0  #: bytes of whole records
        self.torn = False  #: whether a record was cut short that could not be taken back
        self._begun = 0  # bytes of a record that was cut short
        self._fd = os.open(path, _FLAGS, 0o666)
        try:
            self._whereabouts = Whereabouts(self._fd, path)
        except BaseException:
            self.remove()
            raise

    def write(self, records: bytes) -> None:
        """Appends records; all of them or none.

        Raises:
            OSError: None was written; the file ends as before.
        """
        try:
            written = os.write(self._fd, records)
            if written != len(records):
                self._write_rest(records, written)
            self.size += len(records)
        except BaseException as error:
            self._cut_back(error)
            raise

    def _write_rest(self, record: bytes, written: int) -> None:
        """Goes on after a short write: the next call says why it was short, or writes the rest."""
        view = memoryview(record)
        while written < len(record):
            self._begun = written
            written += os.write(self._fd, view[written:])
        self._begun = 0

    def _cut_back(self, error: BaseException) -> None:
        """Takes a torn record off the end, so that readers and later records are safe.

        The file may have been truncated or written to by others, so what counts is what was written of this record.
        """
        begun, self._begun = self._begun, 0
        try:
            size = os.fstat(self._fd).st_size
            if begun:
                os.ftruncate(self._fd, max(size - begun, 0))
            elif getattr(error, "errno", None) is None and size > self.size:  # a handler's, when all was written
                os.ftruncate(self._fd, self.size)
        except OSError:  # EIO, a stale handle: nothing more can be done to this file
            self.torn = True

    def state(self) -> FileState:
        """What is found of the file now.

        Raises:
            OSError: It can't be known now.
        """
        return self._whereabouts.state(self.size)

    def reader(self) -> BinaryIO:
        """The file that we wrote, wherever it is now, opened for reading from its start.

        It takes no descriptor of its own, for there may be none left.
        """
        file = open(self._fd, "rb", closefd=False)  # noqa: SIM115 - the caller closes it
        file.seek(0)
        return file

    def reached(self) -> int:
        """How many records a reader finds behind the last one that is known to have been written.

        Raises:
            OSError: It can't be read.
        """
        with self.reader() as file:
            return count_records(file, self.size)[0]

    def cut_to(self, size: int) -> None:
        """Truncates the file to ``size``: takes off the torn rest that a truncation left."""
        os.ftruncate(self._fd, size)

    def sync(self) -> None:
        """Syncs the file to the storage; does nothing where it is closed.

        Raises:
            OSError: The storage refused what the system had accepted.
        """
        if self._fd < 0:
            return
        try:
            os.fsync(self._fd)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise

    def close(self) -> None:
        """Closes the descriptor.

        Raises:
            OSError: The storage refused what the system had accepted (NFS says so here).
        """
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def remove(self) -> None:
        """Removes the file again, as far as that is possible."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


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

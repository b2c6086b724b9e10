"""Event files on the other file systems that TensorFlow knows, such as ``gs://`` and ``ram://``."""

from __future__ import annotations

import ctypes
import errno
import io
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

import tensorflow as tf

from safewriter.eventfile.local import FileState
from safewriter.eventfile.read import count_records
from safewriter.system import process

_open_files: weakref.WeakSet[Any] = weakref.WeakSet()  # TensorFlow's own, of each ``GFile``

_ERRNOS: tuple[tuple[type[Exception], int], ...] = (
    (tf.errors.NotFoundError, errno.ENOENT),
    (tf.errors.AlreadyExistsError, errno.EEXIST),
    (tf.errors.PermissionDeniedError, errno.EACCES),
    (tf.errors.UnauthenticatedError, errno.EACCES),
    (tf.errors.ResourceExhaustedError, errno.ENOSPC),
    (tf.errors.FailedPreconditionError, errno.ENOTDIR),
    (tf.errors.UnimplementedError, errno.ENOTSUP),
    (tf.errors.DeadlineExceededError, errno.ETIMEDOUT),
    (tf.errors.UnavailableError, errno.EAGAIN),
)


@contextmanager
def as_os_error(path: str) -> Iterator[None]:
    """Turns TensorFlow's errors into the ``OSError`` that says the same."""
    try:
        yield
    except tf.errors.OpError as error:
        number = next((number for kind, number in _ERRNOS if isinstance(error, kind)), errno.EIO)
        raise OSError(number, error.message, path) from error


def make_directories(path: str) -> None:
    """Makes a directory and its parents.

    Raises:
        OSError: It can't be made.
    """
    with as_os_error(path):
        tf.io.gfile.makedirs(path)


class GFile:
    """An event file behind ``tf.io.gfile``, created at once so that a directory that can't be written to shows.

    Args:
        path: A URL; nothing may be there yet.

    Raises:
        OSError: It can't be created.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.torn = False
        self._closed = False
        with as_os_error(path):
            if tf.io.gfile.exists(path):
                raise FileExistsError(errno.EEXIST, "exists", path)
            self._file: Any = tf.io.gfile.GFile(path, "wb")
        _open_files.add(self._file)

    def write(self, records: bytes) -> None:
        """Appends records, and brings them to where other readers see them.

        Raises:
            OSError: How much of them was written can't be known; the file is given up (``torn``).
        """
        try:
            with as_os_error(self.path):
                self._file.write(records)
                self._file.flush()
        except BaseException:
            self.torn = True
            raise
        self.size += len(records)

    def state(self) -> FileState | None:
        """What is found of the file: only its size can be compared here."""
        try:
            with as_os_error(self.path):
                size: int | None = tf.io.gfile.stat(self.path).length
        except FileNotFoundError:
            size = None
        except OSError:  # it can't be known now; a later look will say
            return None
        # Some file systems show what was appended only after closing: less than expected proves nothing before.
        if size is not None and size < self.size and not self._closed and not self.path.startswith("ram://"):
            return None
        return FileState(self.path, self.size, size, at_path=None if size is None else True, linked=size is not None)

    def reader(self) -> BinaryIO:
        """The file, opened for reading from its start."""
        return reader(self.path)

    def reached(self) -> int:
        """How many records a reader finds behind the last one that is known to have been written.

        The file is closed before, for some of these file systems show only then what was appended.

        Raises:
            OSError: It can't be known now.
        """
        with suppress(OSError):
            self.close()
        try:
            with self.reader() as file:
                return count_records(file, self.size)[0]
        except FileNotFoundError:
            return 0

    def cut_to(self, size: int) -> None:
        """Nothing: these file systems can't shorten a file."""

    def sync(self) -> None:
        """Nothing: closing is what makes it durable here."""

    def close(self) -> None:
        """Ends the file; most of these file systems store it at this moment.

        Raises:
            OSError: It could not be stored.
        """
        self._closed = True
        with as_os_error(self.path):
            self._file.close()

    def remove(self) -> None:
        """Removes the file again, as far as that is possible."""
        with suppress(OSError):
            self.close()
        with suppress(OSError), as_os_error(self.path):
            tf.io.gfile.remove(self.path)


def reader(path: str) -> BinaryIO:
    """A file, opened for reading from its start; where it is not there, reading fails."""
    return cast("BinaryIO", _Reader(path))


class _Reader(io.RawIOBase):
    """A file behind ``tf.io.gfile``, with the positions and the errors of Python's files."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        with as_os_error(path):
            self._file: Any = tf.io.gfile.GFile(path, "rb")

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with as_os_error(self._path):
            self._file.seek(offset, whence)
            return int(self._file.tell())

    def read(self, size: int = -1) -> bytes:
        with as_os_error(self._path):
            return bytes(self._file.read(size))

    def close(self) -> None:
        self._file.close()
        super().close()


@process.in_child
def _keep_in_child() -> None:
    """In a forked child: keeps the parent's files for ever, for to destroy one is to write what it buffers, again."""
    for file in list(_open_files):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(file))

"""Event files on the other file systems that TensorFlow knows, such as ``gs://`` and ``ram://``."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

import tensorflow as tf

from safewriter.eventfile.local import FileState
from safewriter.eventfile.record import frame

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
        with as_os_error(path):
            if tf.io.gfile.exists(path):
                raise FileExistsError(errno.EEXIST, "exists", path)
            self._file: Any = tf.io.gfile.GFile(path, "wb")

    def write(self, data: bytes) -> None:
        """Appends one event."""
        self.write_framed(b"".join(frame(data)))

    def write_framed(self, records: bytes) -> None:
        """Appends records that are framed already.

        Raises:
            OSError: How much of them was written can't be known; the file is given up (``torn``).
        """
        try:
            with as_os_error(self.path):
                self._file.write(records)
        except Exception:
            self.torn = True
            raise
        self.size += len(records)

    def push(self) -> None:
        """Brings what was appended to where other readers see it."""
        with as_os_error(self.path):
            self._file.flush()

    def state(self) -> FileState | None:
        """What is found of the file: only its size can be compared here."""
        try:
            with as_os_error(self.path):
                size: int | None = tf.io.gfile.stat(self.path).length
        except FileNotFoundError:
            size = None
        except OSError:  # it can't be known now; a later look tells
            return None
        # Some file systems show what was appended only after closing: less than expected proves nothing there.
        if size is not None and size < self.size and not self.path.startswith("ram://"):
            return None
        return FileState(self.path, self.size, size, at_path=None if size is None else True, linked=size is not None)

    def reader(self) -> BinaryIO:
        """The file, opened for reading from its start."""
        with as_os_error(self.path):
            return cast("BinaryIO", tf.io.gfile.GFile(self.path, "rb"))

    def cut_to(self, size: int) -> None:
        """Nothing: these file systems can't shorten a file."""

    def sync(self) -> None:
        """Nothing: closing is what makes it durable here."""

    def close(self) -> None:
        """Ends the file; most of these file systems store it at this moment.

        Raises:
            OSError: It could not be stored.
        """
        with as_os_error(self.path):
            self._file.close()


def remove_quietly(path: str) -> None:
    """Removes a file that must not be left behind."""
    with suppress(OSError), as_os_error(path):
        tf.io.gfile.remove(path)

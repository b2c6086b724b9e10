"""Which event files there are below a directory, as TensorBoard looks for them; and where they are opened.

A run is a directory with files whose names hold ``tfevents``, at any depth, links followed
(TensorBoard, ``tensorboard/backend/event_processing/io_wrapper.py``). Here each directory is visited once, so that
links in circles end.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from safewriter.audit.report import Problem
from safewriter.eventfile.names import MARK


@dataclass(frozen=True, slots=True)
class Source:
    """An event file that was found.

    Attributes:
        path: Its path, or its URL.
        bytes: Its size, for the progress bar.
        stamp: What changes when the file does: a ``Stamp``, or what a remote file system says of its version.
    """

    path: str
    bytes: int = 0
    stamp: Any = None


class Stamp(NamedTuple):
    """What the operating system says of a local file; times are in nanoseconds since 1970."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @property
    def age(self) -> float:
        """Seconds since it was last changed."""
        return time.time() - max(self.modified, self.changed) / 1e9


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file, from the result of ``os.stat``."""
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


# What the file systems of fsspec call the version, or the time, of a file.
_VERSION = ("size", "ETag", "etag", "LastModified", "last_modified", "mtime", "updated", "created", "generation")


def is_remote(path: str) -> bool:
    """Whether a path names another file system than the local one."""
    return "://" in path


def fsspec_of(path: str) -> tuple[Any, str]:
    """The file system for a URL, and the path in it.

    Raises:
        ImportError: fsspec, or its plug-in for this kind of URL, is not installed.
        ValueError: fsspec knows no such kind of URL.
    """
    try:
        import fsspec
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{path} is not on a local disk; reading it takes fsspec: pip install fsspec", name="fsspec"
        ) from None
    system, inner = fsspec.core.url_to_fs(path)
    return system, str(inner)


def open_event_file(path: str) -> IO[bytes]:
    """Opens a file, local or remote, for reading.

    Raises:
        OSError: It can't be opened, or is no regular file: a pipe would be waited for.
    """
    if is_remote(path):
        system, inner = fsspec_of(path)
        opened: IO[bytes] = system.open(inner, "rb")
        return opened
    if "\0" in path:
        raise OSError(errno.EINVAL, "there is a NUL in its path", path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return open(path, "rb", buffering=0)


def find_event_files(logdir: Any, problem: Callable[[Problem], None] | None = None) -> Iterator[Source]:
    """The event files in and below a directory, or the one file that is named.

    Args:
        logdir: A path (str, bytes or PathLike), or a URL.
        problem: Called for each directory that can't be listed.

    Raises:
        FileNotFoundError: There is no such directory.
        ImportError: For URLs: fsspec, or its plug-in for this kind of URL, is missing.
        OSError: For URLs: the file system can't be asked.
        ValueError: For URLs: there is no such kind.
    """
    path = os.fsdecode(logdir)
    if is_remote(path):
        return _find_remote(path)
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        return iter([Source(path, status.st_size, stamp_of(status))])
    return _find_local(path, problem)


def _find_local(top: str, problem: Callable[[Problem], None] | None) -> Iterator[Source]:
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        try:
            status = os.stat(directory)
            identity = (status.st_dev, status.st_ino)
            if status.st_ino and identity in seen:
                continue
            seen.add(identity)
            with os.scandir(directory) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if problem is not None:
                problem(Problem(directory, error.strerror or str(error), error.errno or 0))
            continue
        below = []
        for entry in entries:
            if _is_directory(entry):
                below.append(entry.path)
            elif MARK in entry.name:
                yield _source(entry)
        waiting.extend(reversed(below))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _source(entry: os.DirEntry[str]) -> Source:
    try:
        # A listing has no inodes on Windows, and sizes that lag behind.
        status = os.stat(entry.path) if sys.platform == "win32" else entry.stat()
    except OSError:  # a link to nowhere: reading it says so
        return Source(entry.path)
    return Source(entry.path, status.st_size, stamp_of(status))


def _find_remote(url: str) -> Iterator[Source]:
    system, inner = fsspec_of(url)
    try:
        system.invalidate_cache()  # what was listed before may have changed
        if not system.exists(inner):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url)
        if system.isfile(inner):
            return iter([Source(url, int(system.size(inner) or 0))])
        found = system.find(inner, detail=True)
    except OSError:
        raise
    except Exception as error:
        # Each kind of remote file system has errors of its own.
        raise OSError(f"{url}: {type(error).__name__}: {error}") from error
    protocol = url.partition("://")[0]
    sources = []
    for path, details in sorted(found.items()):
        if MARK in path.rpartition("/")[2]:
            place = path if is_remote(path) else f"{protocol}://{path}"
            version = tuple(str(details.get(key)) for key in _VERSION)
            sources.append(Source(place, int(details.get("size") or 0), version))
    return iter(sources)

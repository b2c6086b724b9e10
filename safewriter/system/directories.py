"""Directories that are made, and removed again."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile

_TEMPORARY = re.compile(r"tmp[a-z0-9_]{8}")  #: what `tempfile` calls a directory where it is given no name


def make_directories(path: str) -> list[str]:
    """Makes a directory and its parents; returns those that were not there before, innermost first.

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
        remove_directories(made)
        raise
    return made


def remove_directories(made: list[str]) -> None:
    """Removes directories that were made, innermost first, as far as they are empty."""
    for directory in made:
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def was_temporary(path: str) -> bool:
    """Whether a path was in a directory that ``tempfile`` had made, and that is gone as a whole: it was meant to go."""
    root = os.path.realpath(tempfile.gettempdir())
    first = os.path.relpath(os.path.realpath(path), root).split(os.sep)[0]
    return _TEMPORARY.fullmatch(first) is not None and not os.path.lexists(os.path.join(root, first))

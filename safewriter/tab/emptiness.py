"""Why a log directory has nothing to show: what may be wrong with its path."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Iterator

from safewriter.eventfile.names import MARK

_LOOKS = 2000  # at files below a directory that may be the one that was meant
_SIBLINGS = 5


def reasons(path: str, given: str) -> Iterator[str]:
    """Sentences about a directory without event files, from its absolute path and what was passed to TensorBoard."""
    if not given.strip():
        yield "TensorBoard was started without a log directory: pass --logdir."
        return
    if given != given.strip():
        yield f"The path begins or ends with a blank: {given!r}. Write --logdir=DIR, without blanks."
    if given.lstrip().startswith("="):
        yield f"The path begins with '=': {given!r}. Write --logdir=DIR without blanks, or --logdir DIR."
    if "~" in path:
        yield "The path has a '~' that the shell did not expand: it is taken for the name of a directory."
    if "$" in path:
        yield "The path has a '$': a variable that the shell did not expand is taken for the name of a directory."
    if "://" in path:
        yield "No event file was found there."
        return
    if os.path.isdir(path):
        yield "The directory is there, and neither it nor any directory below has an event file."
    elif os.path.exists(path):
        yield "This is a file; TensorBoard needs the directory that it is in."
    else:
        yield "There is no such directory."
    parent, name = os.path.split(path.rstrip(os.sep))
    with_events = [each for each in _similar(parent, name.strip(" =")) if _has_events(os.path.join(parent, each))]
    for each in with_events[:_SIBLINGS]:
        yield f"A directory of a similar name has event files: {os.path.join(parent, each)}"


def _similar(parent: str, name: str) -> list[str]:
    try:
        names = [entry.name for entry in itertools.islice(os.scandir(parent), _LOOKS) if entry.is_dir()]
    except OSError:
        return []
    close = difflib.get_close_matches(name, names, n=2 * _SIBLINGS, cutoff=0.6)
    return close + [each for each in names if name and name in each and each not in close and each != name]


def _has_events(directory: str) -> bool:
    files = (each for _, _, names in os.walk(directory) for each in names)
    return any(MARK in each for each in itertools.islice(files, _LOOKS))

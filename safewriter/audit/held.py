"""Which event files other programs, or this one, have open for writing."""

from __future__ import annotations

import os
import sys
import time

from safewriter.eventfile.names import MARK

_KEPT = 0.5  #: seconds for which a look around holds, as far as it says that a file is not held
_last: tuple[float, frozenset[tuple[int, int]]] = (0.0, frozenset())


def is_held(path: str) -> bool:
    """Whether a process of this machine that we may look into has a file open for writing.

    Linux tells (``/proc``); elsewhere, and for other machines' processes, the answer is False.
    """
    global _last
    if not sys.platform.startswith("linux"):
        return False
    try:
        status = os.stat(path)
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    looked_at, held = _last
    # Many torn files cost one look; a file that was written since then, or was held then, costs another.
    if identity not in held and max(status.st_mtime, time.time() - _KEPT) < looked_at <= time.time():
        return False
    _last = (time.time(), frozenset(_look_around()))
    return identity in _last[1]


def _look_around() -> set[tuple[int, int]]:
    held = set()
    for process in _names("/proc"):
        if not process.isdigit():
            continue
        for descriptor in _names(f"/proc/{process}/fd"):
            link = f"/proc/{process}/fd/{descriptor}"
            try:
                if MARK in os.path.basename(os.readlink(link)) and _writes(process, descriptor):
                    status = os.stat(link)
                    held.add((status.st_dev, status.st_ino))
            except OSError:  # it was closed, or its process ended
                continue
    return held


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:  # another user's process, or one that ended
        return []


def _writes(process: str, descriptor: str) -> bool:
    with open(f"/proc/{process}/fdinfo/{descriptor}", encoding="ascii", errors="replace") as info:
        for line in info:
            if line.startswith("flags:"):
                return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False

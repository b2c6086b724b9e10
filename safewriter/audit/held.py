"""Which event files a process of this machine has open for writing."""

from __future__ import annotations

import os
import sys

from safewriter.eventfile.names import MARK


def files_held() -> frozenset[tuple[int, int]]:
    """Device and inode of each event file that a process which we may look into has open for writing.

    Linux tells (``/proc``); elsewhere, and for processes of other machines, nothing is known.
    """
    if not sys.platform.startswith("linux"):
        return frozenset()
    held = set()
    for process in filter(str.isdigit, _names("/proc")):
        for descriptor in _names(f"/proc/{process}/fd"):
            link = f"/proc/{process}/fd/{descriptor}"
            try:
                if MARK in os.path.basename(os.readlink(link)) and _writes(process, descriptor):
                    status = os.stat(link)
                    held.add((status.st_dev, status.st_ino))
            except OSError:  # it was closed, or its process ended
                continue
    return frozenset(held)


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:  # another user's process, or one that ended
        return []


def _writes(process: str, descriptor: str) -> bool:
    with open(f"/proc/{process}/fdinfo/{descriptor}", encoding="ascii", errors="replace") as info:
        flags = next((line for line in info if line.startswith("flags:")), "flags: 0")
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY

"""Which processes of this machine live, and which files they have open for writing.

Linux says the latter (``/proc``), of the processes that this user may look into; elsewhere nothing is known of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from safewriter.eventfile.names import MARK


def holds(pid: int, path: str) -> bool:
    """Whether a process has a file open for writing."""
    wanted = _identity(path)
    return wanted is not None and any(_identity(link) == wanted and _writes(link) for link in _descriptors(pid))


def holder(path: str) -> int | None:
    """A process that has a file open for writing, this one before others."""
    return next((pid for pid in (os.getpid(), *_processes()) if holds(pid, path)), None)


def files_held() -> frozenset[tuple[int, int]]:
    """Device and inode of each event file that a process has open for writing."""
    links = (link for pid in _processes() for link in _descriptors(pid) if MARK in _name(link) and _writes(link))
    return frozenset(identity for identity in map(_identity, links) if identity is not None)


def _processes() -> Iterator[int]:
    return map(int, filter(str.isdigit, _names("/proc")))


def _descriptors(pid: int) -> Iterator[str]:
    directory = f"/proc/{pid}/fd"
    return (f"{directory}/{number}" for number in _names(directory))


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:  # another user's process, one that ended, or a system without /proc
        return []


def _name(link: str) -> str:
    try:
        return os.path.basename(os.readlink(link))
    except OSError:  # it was closed meanwhile
        return ""


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _writes(link: str) -> bool:
    try:
        with open(link.replace("/fd/", "/fdinfo/"), encoding="ascii", errors="replace") as info:
            flags = next((line.split()[1] for line in info if line.startswith("flags:")), "0")
    except OSError:
        return False
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def lives(pid: int) -> bool:
    """Whether a process is alive; True where that can't be known."""
    if pid <= 0:
        return True
    if sys.platform == "win32":  # os.kill would end it
        return _lives_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # alive, and somebody else's
        return True
    return True


def _lives_on_windows(pid: int) -> bool:
    if sys.platform != "win32":
        raise AssertionError("asked on Windows only")
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not known or code.value == still_active

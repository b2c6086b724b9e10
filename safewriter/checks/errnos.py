"""What the operating system's errors mean for a log directory, in words, and what to do about each."""

from __future__ import annotations

import errno
import os


def describe(error: OSError) -> str:
    """``No space left on device (ENOSPC, errno 28)``."""
    if error.errno is None:
        return str(error) or type(error).__name__
    return f"{os.strerror(error.errno)} ({errno_name(error)}, errno {error.errno})"


def errno_name(error: OSError) -> str:
    """The symbol of an errno: ``ENOSPC``."""
    return errno.errorcode.get(error.errno or 0, "unknown")


def hint_for(error: OSError, otherwise: str = "Check the storage behind the log directory.") -> str:
    """What to do about an error, or ``otherwise`` where nothing is known of it."""
    return _HINTS.get(error.errno or 0, otherwise)


_HINTS = {
    errno.ENOSPC: "The disk is full: free space there, or choose a log directory on another disk.",
    errno.EDQUOT: "The quota of this user is used up: free space, or choose a log directory elsewhere.",
    errno.EFBIG: "The file has reached the size that this process may write (`ulimit -f`): raise the limit, or "
    "`reopen()` the writer now and then.",
    errno.EMFILE: "This process has no file descriptors left (`ulimit -n`): close files and writers that are no longer "
    "used.",
    errno.ENFILE: "The system has no file descriptors left.",
    errno.EROFS: "The file system is mounted read-only: choose a log directory on another one.",
    errno.EPERM: "Choose a log directory that this user may write to.",
    errno.ENOENT: "A part of the path is missing and can't be made, or is a dangling link.",
    errno.ELOOP: "A symbolic link in the path points back to itself.",
}

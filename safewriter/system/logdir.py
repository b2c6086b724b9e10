"""What the file system says of a log directory."""

from __future__ import annotations

import os
import shutil
import stat

from safewriter.checks.logdir import Obstacle


def obstacle(path: str) -> Obstacle | None:
    """The innermost part of an absolute path that exists: its owner, its mode, and who we are."""
    probe = path
    while True:
        try:
            found = os.stat(probe)
        except OSError:
            parent = os.path.dirname(probe)
            if parent == probe:
                return None
            probe = parent
            continue
        return Obstacle(
            probe,
            stat.S_ISDIR(found.st_mode),
            _user(found.st_uid),
            stat.filemode(found.st_mode),
            _user(os.geteuid()) if hasattr(os, "geteuid") else os.environ.get("USERNAME", "unknown"),
        )


def _user(uid: int) -> str:
    try:
        import pwd  # POSIX only

        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except (ImportError, KeyError):
        return f"uid {uid}"


def free_bytes(path: str) -> int | None:
    """Bytes that this user may still write on the disk of a directory; None where the system doesn't say."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return None
    return usage.free if usage.total else None

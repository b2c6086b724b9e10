"""Disks that fill up: a small tmpfs where that may be mounted, a limit on the size of files elsewhere."""

import contextlib
import errno
import os
import signal
import subprocess

#: More than any story of ``test_property.py`` writes, so that the disk is full only where ``fill`` made it so.
TMPFS_KB = 4096


def mount_tmpfs(path, kilobytes=TMPFS_KB):
    """Mounts a small tmpfs; gives whether that could be done."""
    os.makedirs(path, exist_ok=True)
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    call = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=777", "tmpfs", path]
    try:
        return subprocess.run(call, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def unmount(path):
    """Takes the tmpfs away, whoever still has files open on it."""
    subprocess.run(["umount", "--lazy", path], check=False, capture_output=True)


class FullDisk:
    """A directory on a disk of its own that can be filled, and freed again.

    Args:
        path: Where it is to be; a mount point is made there.
    """

    def __init__(self, path):
        self.path = path
        self.mounted = mount_tmpfs(path)
        self.full = False
        self._ballast = os.path.join(path, "ballast")

    def close(self):
        if self.mounted:
            unmount(self.path)

    def fill(self):
        """Fills it to the last page; what has begun a page may still end it, so that writes come out short."""
        self.full = True
        if not self.mounted:
            return
        with open(self._ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self):
        """Makes room again."""
        self.full = False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._ballast)

    @contextlib.contextmanager
    def in_force(self, *files):
        """Around writes: where there is no mount, no file may grow much beyond these while the disk is full."""
        if self.mounted or not self.full:
            yield
            return
        import resource

        sizes = [os.path.getsize(file) for file in files if os.path.exists(file)]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes, default=0) + 30, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    @property
    def errnos(self):
        """What a write may fail with while it is full."""
        return {errno.ENOSPC} if self.mounted else {errno.EFBIG}

"""Which process this is, known without a system call for each event."""

from __future__ import annotations

import os

pid = os.getpid()


def _in_child() -> None:
    global pid
    pid = os.getpid()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_in_child)

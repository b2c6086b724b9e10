"""Which process this is, known without a system call for each event, and what begins anew in a forked child."""

from __future__ import annotations

import os
from collections.abc import Callable

pid = os.getpid()


def in_child(begin_anew: Callable[[], None]) -> Callable[[], None]:
    """Has a function called in each forked child, after those that were passed here before it."""
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=begin_anew)
    return begin_anew


@in_child
def _know_pid() -> None:
    global pid
    pid = os.getpid()

"""Names of event files."""

from __future__ import annotations

import itertools
import os
import socket
import time

_numbers = itertools.count()


def new_name(suffix: str = "") -> str:
    """A name that no other writer chooses: ``events.out.tfevents.<seconds>.<host>.<pid>.<n><suffix>``.

    The stock v1 writer's name ends after the host, so two writers of one second share, and truncate, one file
    (TensorFlow, ``tensorflow/core/util/events_writer.cc``). ``n`` counts the files of this process and is padded, because
    TensorBoard reads the files of a run in the order of their names.
    """
    host = socket.gethostname().replace(os.sep, "_") or "localhost"
    return f"events.out.tfevents.{int(time.time()):010d}.{host}.{os.getpid()}.{next(_numbers):04d}{suffix}"

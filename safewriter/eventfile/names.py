"""Names of event files."""

from __future__ import annotations

import itertools
import os
import re
import socket
import time
from dataclasses import dataclass

_numbers = itertools.count()
_latest = 0  # seconds in the newest name


def new_name(suffix: str = "") -> str:
    """A name that no other writer chooses: ``events.out.tfevents.<seconds>.<host>.<pid>.<n><suffix>``.

    The stock v1 writer's name ends after the host, so two writers of one second share, and truncate, one file
    (TensorFlow, ``tensorflow/core/util/events_writer.cc``). ``n`` counts the files of this process and is padded,
    because TensorBoard reads the files of a run in the order of their names: it never comes back to a file whose name
    lies before the one that it reads, so the seconds don't go back where the clock does.
    """
    global _latest
    _latest = max(_latest, int(time.time()))
    host = socket.gethostname().replace(os.sep, "_") or "localhost"
    return f"events.out.tfevents.{_latest:010d}.{host}.{os.getpid()}.{next(_numbers):04d}{suffix}"


@dataclass(frozen=True)
class EventFileName:
    """What the name of an event file says of its writer.

    Attributes:
        seconds: When it was created, by the clock of its host.
        host: That host.
        pid: The process, or None: TensorFlow's v1 writer and older tensorboardX leave it out.
    """

    seconds: int
    host: str
    pid: int | None = None


MARK = "tfevents"  #: TensorBoard takes every file whose name holds this for an event file
_START = re.compile(r"(?:.*\.)?tfevents\.(\d+)\.(.+)", re.DOTALL)
_PID = re.compile(r"\.(?P<pid>\d+)\.\d+")  # behind a host that is known
# A host may hold dots and digits ("10.0.0.1"), so that the numbers are looked for from the end.
_HOST_AND_PID = re.compile(r"(.+)\.(?P<pid>\d+)\.\d+(\D.*)?", re.DOTALL)
_GOES_ON = re.compile(r"[^\W_]|-")  # "node1" is not "node12"


def parse_name(name: str, host: str | None = None) -> EventFileName | None:
    """What the name of an event file says of its writer.

    Understands the names of TensorFlow's v1 writer (``events.out.tfevents.<seconds>.<host>[suffix]``), of its v2
    writer, PyTorch's, TensorBoard's own and ours (``….<host>.<pid>.<n>[suffix]``), and of both forms of tensorboardX.

    Args:
        name: A base name.
        host: A host known beforehand, usually this one. Where the name goes on with it, nothing is guessed; a host that
            is not known can't be distinguished from a suffix that begins with a dot, and then contains it.

    Returns:
        None where the name is of another form.
    """
    start = _START.fullmatch(name)
    if start is None:
        return None
    seconds, rest = int(start[1]), start[2]
    if host and rest.startswith(host) and not _GOES_ON.match(rest, len(host)):
        found = _PID.match(rest, len(host))
    else:
        found = _HOST_AND_PID.fullmatch(rest)
        host = found[1] if found else rest
    return EventFileName(seconds, host, int(found["pid"]) if found else None)

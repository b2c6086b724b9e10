"""Who else writes event files into a log directory, from evidence.

Evidence is: a file that grew between two looks, a file that appeared after the first look, or a file made since this
process started that its process holds open. Our clock is never compared with a file's times, and nothing is left in
the directory. On the same host, a process that has ended is no neighbour.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator

from safewriter.checks.distribution import Neighbour
from safewriter.eventfile.names import MARK, EventFileName, parse_name
from safewriter.system import process
from safewriter.system.holders import holder, holds, lives
from safewriter.system.role import VARIABLES, role

#: Seconds between two looks on flush. A look is far cheaper than that; it is the evidence that needs time.
INTERVAL = 10.0

#: Files whose size is read at each look: the newest by name, and some of the others in turn. Reading the sizes of
#: all of 1,000 files would cost several times the rest of a look.
_NEWEST = 32
_IN_TURN = 16


class Neighbours:
    """The looks at one log directory, and what was seen at the last.

    Call ``look`` when the writer has been created, ``look(…, at_most_every=INTERVAL)`` on flush, and ``look`` on close;
    hand the result to ``checks.distribution.judge_directory``. Each neighbour is in the facts of one look only.
    In a forked child it sees nothing: the child's first event reports SW505.

    Args:
        logdir: The log directory. Of a remote one (``gs://``) nothing is looked at.
        clock: Seconds that only go forward.
        host: This host, as it stands in file names.
    """

    def __init__(self, logdir: str, clock: Callable[[], float] = time.monotonic, host: str | None = None) -> None:
        self._logdir = logdir
        self._clock = clock
        self._host = host or socket.gethostname()
        self._pid = process.pid
        self._last: float | None = None
        self._sizes: dict[str, int | None] = {}  # None: not read yet
        self._growths: dict[str, int] = {}
        self._settled: set[str] = set()  # reported, or found to be this process's own
        self._order: list[str] = []  # the newest first, by name
        self._reported: set[tuple[str | None, int | str]] = set()
        self._turn = 0

    def look(self, own_files: Collection[str], *, at_most_every: float = 0.0) -> list[Neighbour]:
        """Looks at the directory, once.

        Args:
            own_files: Event files of this process's writers, as paths or names.
            at_most_every: Look only if the last look is at least so many seconds ago.

        Returns:
            The neighbours that this look gave evidence of. Never raises: of a directory that is gone or can't be
            listed, nothing is known.
        """
        if process.pid != self._pid or "://" in self._logdir:
            return []
        if self._last is not None and self._clock() - self._last < at_most_every:
            return []
        try:
            names = {name for name in os.listdir(self._logdir or os.curdir) if MARK in name}
        except OSError:
            return []
        first, self._last = self._last is None, self._clock()
        self._settled.update(os.path.basename(path) for path in own_files)
        return self._first_look(names) if first else self._next_look(names)

    def _first_look(self, names: set[str]) -> list[Neighbour]:
        self._order = sorted(names, reverse=True)
        self._sizes = dict.fromkeys(names)
        for name in self._order[:_NEWEST]:
            self._sizes[name] = self._size(name)
        return self._report("open", list(self._open_elsewhere()))

    def _next_look(self, names: set[str]) -> list[Neighbour]:
        appeared = sorted(names.difference(self._sizes))
        watched = {name: self._sizes[name] for name in self._watched()}
        for name in (*watched, *appeared):
            self._sizes[name] = self._size(name)
        if appeared:
            self._order = sorted(self._sizes, reverse=True)
        grown = {name: old for name, old in watched.items() if old is not None and old < (self._sizes[name] or 0)}
        for name in grown:
            self._growths[name] = self._growths.get(name, 0) + 1
        return self._report("appeared", [name for name in appeared if self._sizes[name]]) + self._report("grew", grown)

    def _watched(self) -> list[str]:
        """The files whose sizes this look reads."""
        rest = max(0, len(self._order) - _NEWEST)
        start = _NEWEST + (self._turn % rest if rest else 0)
        self._turn += _IN_TURN
        chosen = self._order[:_NEWEST] + self._order[start : start + _IN_TURN]
        return [name for name in chosen if name not in self._settled]

    def _report(self, evidence: str, names: list[str] | dict[str, int]) -> list[Neighbour]:
        neighbours = []
        before = names if isinstance(names, dict) else {}
        for name in names:
            if name in self._settled:
                continue
            neighbour = self._neighbour(name, evidence, before.get(name, 0))
            if neighbour is None:
                continue
            self._settled.add(name)
            key = (neighbour.host, neighbour.pid if neighbour.pid is not None else name)
            if key not in self._reported:
                self._reported.add(key)
                neighbours.append(neighbour)
        return neighbours

    def _neighbour(self, name: str, evidence: str, before: int) -> Neighbour | None:
        """The file as a neighbour, or None where it is this process's own, or its process has ended."""
        parsed = parse_name(name, self._host) or EventFileName(0, "")
        same_host = parsed.host == self._host
        pid = parsed.pid
        if same_host and pid is None:
            # Only of a file that has just grown or appeared: it reads what every process of this user has open.
            pid = holder(os.path.join(self._logdir, name))
            if pid is None:
                return None
        if same_host and pid == self._pid:
            self._settled.add(name)
            return None
        # A name of this host whose process isn't here, and that goes on growing, is another container's.
        if same_host and pid is not None and not lives(pid) and self._growths.get(name, 0) < 2:
            return None
        return Neighbour(
            file=name,
            host=parsed.host or None,
            pid=pid,
            same_host=same_host,
            evidence=evidence,
            size_before=before,
            size=self._sizes.get(name) or 0,
            role=_role_of(pid) if same_host and pid is not None else None,
        )

    def _size(self, name: str) -> int | None:
        try:
            return os.stat(os.path.join(self._logdir, name)).st_size
        except OSError:
            return None

    def _open_elsewhere(self) -> Iterator[str]:
        """Files that another process has made since this one was started, and has open: both times are this host's."""
        here = f".{self._host}."
        candidates = [name for name in self._order[:_NEWEST] if here in name and name not in self._settled]
        began = process_began() if candidates else None
        if began is None:
            return
        for name in candidates:
            parsed = parse_name(name, self._host)
            if parsed is None or parsed.pid is None or parsed.pid == self._pid or parsed.seconds < began:
                continue
            if holds(parsed.pid, os.path.join(self._logdir, name)):
                yield name


def process_began() -> float | None:
    """When this process was started, in seconds of this host's clock, or None where /proc does not say."""
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/uptime", encoding="ascii") as file:
            uptime = float(file.read().split()[0])
        return time.time() - (uptime - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _role_of(pid: int) -> str | None:
    """What the environment with which another process was started says it is; other variables are not kept."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = [entry.partition(b"=") for entry in file.read().split(b"\0")]
    except OSError:
        return None
    known = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if os.fsdecode(name) in VARIABLES}
    found = role(environment=known)
    return None if found.task is None else str(found)

"""The backend for ``session=``: TensorFlow's summary resource writes, and what has landed is read back."""

from __future__ import annotations

import contextlib
import itertools
import os
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import tensorflow as tf

from safewriter.checks.landing import Fate, event_file_gone, events_lost, resource_closed
from safewriter.eventfile.local import FileState
from safewriter.eventfile.names import MARK
from safewriter.eventfile.read import count_records
from safewriter.findings import Desk, Finding
from safewriter.recording.backend import Part
from safewriter.recording.turn import Turn

_tokens = itertools.count()


def new_token() -> str:
    """What marks the file of a writer's resource: put before the suffix that the user asked for.

    TensorFlow's names (``tensorflow/core/summary/summary_file_writer.cc``) end with the process, a number that only
    TensorFlow knows, and the suffix.
    """
    return f".s{next(_tokens)}w"  # a letter ends it: "s1" is not the beginning of "s12"


class Resource(Protocol):
    """A summary resource of TensorFlow's, in a session."""

    def key(self) -> tuple[object, str]:
        """The session, and the name under which it keeps the resource: writers of one key share it."""

    def add(self, event: Any) -> None:
        """Writes one event."""

    def flush(self) -> None:
        """Brings what it holds to the file."""

    def close(self) -> None:
        """Ends the resource, for all who share it."""

    def reopen(self) -> None:
        """Makes the resource anew, with a new file."""


class _ResourceFiles:
    """The files of one resource, which several writers may share.

    Attributes:
        parts: The account of each file, for all who share it.
        tokens: Of all who share it: which of them named a file depends on who opened the resource.
        takers: The backends that write through the resource.
        closed_by: The line that created the writer which closed the resource.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.parts: list[Part] = []
        self.tokens: set[str] = set()
        self.takers: weakref.WeakSet[SessionBackend] = weakref.WeakSet()
        self.closed_by: str | None = None

    def find(self) -> bool:
        """Looks for files that the resource has begun; whether there is any."""
        known = {os.path.basename(part.path) for part in self.parts}
        mine = f".{os.getpid()}."
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(self.directory)):
                named = any(token in name for token in self.tokens)
                if named and MARK in name and mine in name and name not in known:
                    self.parts.append(Part(os.path.join(self.directory, name)))
        return bool(self.parts)

    def look(self) -> list[Part]:
        """Reads on in each file; gives those that are gone."""
        self.find()
        gone = []
        for part in self.parts:
            if part.final:
                continue
            start = part.size
            try:
                with open(part.path, "rb") as file:
                    records, part.size = count_records(file, start)
            except FileNotFoundError:
                part.final = True
                gone.append(part)
                continue
            part.events += records - (start == 0 < records)  # the version record is not an event of the user's
            part.landed = part.events
        return gone

    def missing(self) -> int:
        """Events that were taken by all and are in no file."""
        return sum(taker.accepted for taker in self.takers) - sum(part.landed for part in self.parts)


class SessionBackend:
    """Hands events to TensorFlow's resource, and reads its file back at each flush, from where the last look ended.

    Args:
        resource: What writes.
        directory: The log directory, absolute; None where files can't be listed (remote): there the resource's word
            is taken.
        token: See ``new_token``.
        turn: Of the owner, held around each call but ``write_in_between``.
        desk: The writer's.
        report: Takes SW503.
    """

    _open: ClassVar[weakref.WeakSet[SessionBackend]] = weakref.WeakSet()

    def __init__(
        self,
        resource: Resource,
        directory: str | None,
        token: str,
        turn: Turn,
        desk: Desk,
        report: Callable[[Finding], None],
    ) -> None:
        self.accepted = 0
        self.generation = 1
        self.lost = 0
        self._resource = resource
        self._directory = directory
        self._token = token
        self._turn = turn
        self._desk = desk
        self._report = report
        self._failed_calls = 0
        self._left: deque[Any] = deque()  # events of calls that re-entered
        self._closed = False
        self._files = self._share()

    def _share(self) -> _ResourceFiles:
        """The files of our resource; those of another writer where TensorFlow gave us the resource of that one."""
        files = _ResourceFiles(self._directory or "")
        files.tokens.add(self._token)
        if self._directory is not None and not files.find():
            key = self._resource.key()
            shared = [other._files for other in list(SessionBackend._open) if other._resource.key() == key]
            files = shared[0] if shared else files
            files.tokens.add(self._token)
        files.takers.add(self)
        SessionBackend._open.add(self)
        return files

    # The account.

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, with what all writers of the resource wrote to it."""
        return self._files.parts

    @property
    def path(self) -> str:
        """The file that is written to, or was last."""
        return self.parts[-1].path if self.parts else str(self._directory)

    @property
    def landed(self) -> int:
        """Events that were read back from the file."""
        if self._directory is None or not self.parts:  # remote, or the resource of a writer that is not ours
            return self.accepted - self.lost
        return max(min(self.accepted - self.lost, self.accepted - self._files.missing()), 0)

    @property
    def pending(self) -> int:
        """Accepted events that TensorFlow's resource may still hold."""
        return max(self.accepted - self.landed - self.lost, 0) + len(self._left)

    @property
    def shared_with(self) -> list[str]:
        """The lines that created the other writers of the resource."""
        return [other._desk.created_at for other in list(self._files.takers) if other is not self]

    # Taking.

    def write(self, event: Any) -> None:
        """See ``Backend``. Raises what TensorFlow raises."""
        try:
            self._resource.add(event)
        except Exception as error:
            self._failed_calls += 1
            raise self._in_our_words(error) from error
        self.accepted += 1

    def _in_our_words(self, error: Exception) -> BaseException:
        closed_by = self._files.closed_by
        if closed_by is None or not isinstance(error, tf.errors.OpError):
            return error
        return self._desk.error_from(lambda: resource_closed(self.path, closed_by, self._failed_calls), error)

    def write_in_between(self, event: Any) -> None:
        """Keeps the event: a session that is running can't be entered again. The interrupted call writes it."""
        self._left.append(event)
        self._turn.words.append(self._write_left)

    def _write_left(self) -> None:
        with self._turn.lock:
            while self._left and not self._closed:
                with contextlib.suppress(Exception):  # the interrupted call goes on; the sum at close names it
                    self.write(self._left[0])
                self._left.popleft()
            if self._left:  # the interrupted call was the close
                late = len(self._left)
                self._left.clear()
                self.accepted += late
                self.lost += late
                self._report(events_lost(self.path, None, late, 0))

    def prepare(self) -> None:
        """Nothing: TensorFlow's resource has its file."""

    def flush(self, timeout: float | None = None) -> None:
        """See ``Backend``. Raises what TensorFlow raises."""
        try:
            self._resource.flush()
        except Exception as error:
            raise self._in_our_words(error) from error
        self._look()

    def close(self, timeout: float | None = None) -> list[Finding]:
        """See ``Backend``. Raises what TensorFlow raises, as in a session that was closed before."""
        if self._closed:
            return []
        closed_by = self._files.closed_by
        if closed_by is None:
            self._resource.close()
            self._files.closed_by = self._desk.created_at
        self._closed = True
        SessionBackend._open.discard(self)
        self._look()
        calls, self._failed_calls = self._failed_calls, 0
        if calls and closed_by is not None:
            return [resource_closed(self.path, closed_by, calls)]
        missing = self.accepted - self.landed - self.lost
        self.lost += missing
        return [events_lost(self.path, None, missing, calls)] if missing or calls else []

    def reopen(self) -> None:
        """See ``Backend``."""
        self._resource.reopen()
        self.generation += 1
        self._closed = False
        self._files.closed_by = None
        SessionBackend._open.add(self)
        with self._desk.guard("event file"):
            self._files.find()

    def _look(self) -> None:
        if self._directory is None:
            return
        with self._desk.guard("event file"):
            for part in self._files.look():
                self._is_gone(part)

    def _is_gone(self, part: Part) -> None:
        others = sum(other.landed for other in self.parts if other is not part)
        part.events = max(sum(taker.accepted for taker in self._files.takers) - others, 0)
        lost = min(part.events, self.accepted)
        part.lost, part.landed = part.events, 0
        directory = os.path.isdir(os.path.dirname(part.path))
        state = FileState(part.path, part.size, None, at_path=None, linked=False, directory=directory)
        self.lost += lost
        self._report(event_file_gone(state, Fate.DELETED, lost, lost, ""))

    def remove(self) -> None:
        """See ``Backend``."""
        with contextlib.suppress(Exception):
            self.close()
        if not self.shared_with:
            for part in self.parts:
                with contextlib.suppress(OSError):
                    os.unlink(part.path)

    def begin_in_child(self, parent: int) -> None:
        """Nothing: a session is not usable in a forked child."""

    def after_fork(self) -> None:
        """See ``Backend``."""

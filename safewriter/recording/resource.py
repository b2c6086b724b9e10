"""The backend for TensorFlow's summary resource, in a session or eager: it writes, and its file is read back.

The resource is known by its handle, which functions capture and sessions keep by name. Its file can be exchanged
beneath the handle: the resource is closed, and made anew.
"""

from __future__ import annotations

import contextlib
import itertools
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from safewriter.checks.landing import Fate, event_file_gone, events_lost, resource_closed, used_after_fork
from safewriter.eventfile.read import count_records
from safewriter.findings import Desk, Finding
from safewriter.recording.backend import Part
from safewriter.recording.growing import FAILURES, GrowingFile, ResourceFiles
from safewriter.recording.turn import Turn
from safewriter.system import process
from safewriter.system.directories import was_temporary

_tokens = itertools.count()


def new_token() -> str:
    """What marks the file of a writer's resource: put before the suffix that the user asked for.

    TensorFlow's names (``tensorflow/core/summary/summary_file_writer.cc``) end with the process, a number that only
    TensorFlow knows, and the suffix.
    """
    return f".s{next(_tokens)}w"  # a letter ends it: "s1" is not the beginning of "s12"


class Resource:
    """A summary resource of TensorFlow's; each method raises what TensorFlow raises.

    This one can't be reached: in graph mode only a session could do so. Its file can be read all the same.
    """

    def key(self) -> object:
        """What names the resource: writers of one key share it."""
        return self

    def add(self, event: Any) -> None:
        """Writes one event."""

    def flush(self) -> None:
        """Brings what it holds to the file."""

    def close(self) -> None:
        """Ends the resource, for all who share it."""

    def reopen(self) -> None:
        """Makes the resource anew, with a new file; nothing where it is there."""

    def may_exchange(self) -> bool:
        """Whether the resource may be closed, and made anew: no other thread is known to write through it."""
        return False

    def stays_open(self) -> bool:
        """Whether it is left to the end of the process: a daemon thread may write on until then."""
        return False


class Budget:
    """How long reading back may take: a share of the CPU time of the process."""

    _CREDIT = 0.001  # seconds at first
    _SHARE = 0.005  # afterwards; what it leaves is read when the writer is closed, or asked

    def __init__(self) -> None:
        self._began = time.process_time()
        self._spent = 0.0

    @contextlib.contextmanager
    def spending(self) -> Iterator[float]:
        """Measures a block; gives the seconds that it should take at most."""
        begun = time.thread_time()
        yield self._CREDIT + self._SHARE * (time.process_time() - self._began) - self._spent
        self._spent += time.thread_time() - begun


class ResourceBackend:
    """Hands events to a resource, and reads its files back. Events may also reach the resource past the backend.

    Args:
        resource: What writes.
        directory: The log directory: an absolute path, or a URL.
        ending: What its files are known by: ``new_token`` and the user's suffix.
        turn: Of the owner, held around each call but ``write_in_between``.
        desk: The writer's.
        report: Takes SW502 and SW503.
        take: Is called with each event that is read back; None where they are only counted.
        budget: How long reading back may take while the writer is open; None for as long as it takes.

    Attributes:
        files: Of the resource, with what its writers have in common.
    """

    def __init__(
        self,
        resource: Resource,
        directory: str,
        ending: str,
        turn: Turn,
        *,
        desk: Desk,
        report: Callable[[Finding], None],
        take: Callable[[Any], None] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.generation = 1
        self.lost = 0
        self.written = 0  #: events that are known to have been written past the backend
        self._resource = resource
        self._turn = turn
        self._desk = desk
        self._report = report
        self._budget = budget
        self._added = 0
        self._failed_calls = 0
        self._failure: OSError | None = None  # the last of a copy
        self._left: deque[Any] = deque()  # events of calls that re-entered
        self._closed = self._closing = False
        self.files = ResourceFiles(directory, ending, take)
        with desk.guard("event file"):
            self.files = _shared_by_resource(self.files, resource)
        self.files.takers.add(self)
        _open.add(self)

    # The account.

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, with what all writers of the resource wrote to it; rescued ones last."""
        return [*(file.part for file in self.files.all), *self.files.rescued]

    @property
    def path(self) -> str:
        """The file that is written to, or was last; the log directory where there is none yet."""
        current = self.files.current
        return self.files.directory if current is None else current.part.path

    @property
    def size(self) -> int:
        """Bytes that TensorFlow has written to the file of now, read back or not."""
        current = self.files.current
        return 0 if current is None else current.grown_to()

    def written_behind(self, offset: int) -> int:
        """Events in the file of now behind an offset; at least one."""
        with contextlib.suppress(*FAILURES):
            return max(count_records(self.path, offset)[0], 1)
        return 1

    @property
    def accepted(self) -> int:
        """Events that were added here; where nobody else shares the resource, all that were found in its files."""
        return self._added if len(self.files.takers) > 1 else max(self._added, self.files.events)

    @property
    def landed(self) -> int:
        """Events that were read back; where no file can be seen, the resource's word is taken."""
        files = self.files
        if not files.all:
            return self.accepted - self.lost
        missing = sum(taker.accepted for taker in list(files.takers)) - files.landed
        return max(min(self.accepted - self.lost, self.accepted - missing), 0)

    @property
    def pending(self) -> int:
        """Accepted events that TensorFlow may still hold, or that are in a deleted file and could not be copied yet."""
        return max(self.accepted - self.landed - self.lost, 0) + len(self._left)

    # Taking.

    def write(self, event: Any) -> None:
        """See ``Backend``. Raises what TensorFlow raises."""
        try:
            self.bring_up()
            self._resource.add(event)
        except Exception as error:
            self._failed_calls += 1
            raise self._in_our_words(error) from error
        self._added += 1

    def bring_up(self) -> None:
        """Makes the resource anew where that failed before. Raises what TensorFlow raises."""
        files = self.files
        if files.down:
            self._resource.reopen()
            files.down = False
            self._begun()

    def before_use(self) -> None:
        """The same for a write past the backend, which may be a signal handler's in the middle of an exchange."""
        if self.files.down:
            self._resource.reopen()

    def _begun(self) -> None:
        self.generation += 1
        with self._desk.guard("event file"):
            self.files.find()

    def _in_our_words(self, error: Exception) -> BaseException:
        closed_by = self.files.closed_by
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
                self._added += late
                self.lost += late
                self._report(events_lost(self.path, None, late, 0))

    def prepare(self) -> None:
        """Nothing: TensorFlow's resource has its file."""

    # Looking.

    def flush(self, timeout: float | None = None) -> None:
        """Flushes, reads back, and goes on in a new file where this one is gone. Raises what TensorFlow raises."""
        try:
            self.bring_up()
            self._resource.flush()
        except Exception as error:
            raise self._in_our_words(error) from error
        self.go_on()

    def flush_resource(self) -> None:
        """Flushes, and nothing else. Raises what TensorFlow raises."""
        self.before_use()
        self._resource.flush()

    def go_on(self) -> None:
        """Reads back, and begins a new file where something has become of this one."""
        with self._desk.guard("event file"):
            written = self.written and self.written + self._added  # now: other threads may write while this one reads
            done = self.look()
            if self._resource.may_exchange():
                self._exchange_where_gone(read_all=done)
                if done and (more := self.files.newly_missing(written)):
                    self._report(events_lost(self.path, None, 0, more))

    def look(self, *, whole: bool = False) -> bool:
        """Reads on in each file, and never calls the resource; whether all was read.

        Args:
            whole: Read all, whatever it costs.
        """
        files = self.files
        if whole or self._budget is None or not files.all:
            files.find()
        if whole or self._budget is None:
            return files.read()
        with self._budget.spending() as seconds:
            return seconds > 0.0 and files.read(seconds)

    def _exchange_where_gone(self, *, read_all: bool) -> None:
        files, current = self.files, self.files.current
        for file in files.unfinished():
            if file is not current:  # a copy failed before
                self._finish(file, self.path)
        if current is None or current.part.final or not files.is_gone(current, read_all=read_all):
            return
        files.down = True  # before: from now on, what a signal handler writes brings it up
        try:
            self._resource.close()
        except tf.errors.OpError:  # it may be writing on; what is in its file is copied later
            files.down = False
            return
        with contextlib.suppress(tf.errors.OpError):  # the next write or flush tries again, and raises
            self.bring_up()
        files.read()
        self._finish(current, "" if files.current is current else self.path)

    def _finish(self, file: GrowingFile, goes_on: str | None) -> None:
        """TensorFlow no longer writes to a file: what can't be read where it is is copied, or counted as lost.

        Where the copy fails, it is tried again at the next look, and for the last time when the writer is closed, which
        is when ``goes_on`` is None.
        """
        fate, state = file.fate()
        if goes_on is None and fate is Fate.DELETED and was_temporary(self.files.directory):
            file.close()  # a test's logs go with the test; a copy would bring the directory back
            return
        failure = self.files.settle(file, fate, state, last_try=goes_on is None)
        self._failure = failure or self._failure
        part = file.part
        if not part.final:
            return
        lost, events = min(part.lost, self.accepted), min(part.events, self.accepted)
        self.lost += lost
        if fate is not Fate.INTACT:
            self.files.gone = True
            self._report(event_file_gone(state, fate, events, lost, goes_on))
        elif lost:
            self._report(events_lost(part.path, failure, lost, 0))

    # Ends.

    def close(self, timeout: float | None = None) -> list[Finding]:
        """See ``Backend``. Raises what TensorFlow raises, as in a session that was closed before."""
        if self._closed:
            return []
        _open.discard(self)
        again, self._closing = self._closing, True  # an exception of a handler's has left the last call
        closed_by = None if again else self.files.closed_by
        try:
            if closed_by is None:
                self.files.closed_by = self._desk.created_at
                self._resource.close()
        except tf.errors.OpError:
            if not self.files.down and not again:
                raise
        finally:
            with self._desk.guard("event file"):
                self._end()
            with self._desk.guard("event file"):  # after a fault of ours too: no descriptor stays open
                for file in self.files.unfinished():
                    file.close()
            self._closed = True
        calls, self._failed_calls = self._failed_calls, 0
        if calls and closed_by is not None:
            return [resource_closed(self.path, closed_by, calls)]
        missing = self.accepted - self.landed - self.lost
        self.lost += missing
        return [events_lost(self.path, self._failure, missing, calls)] if missing or calls else []

    def _end(self) -> None:
        stays_open = self._resource.stays_open()
        written = self.written and self.written + self._added  # now: where it stays open, others may write meanwhile
        read_all = self.look(whole=True)
        for file in self.files.unfinished():
            if not stays_open or file.fate()[0] is not Fate.INTACT:
                self._finish(file, None)
        if read_all or self.files.gone:
            self._failed_calls += self.files.newly_missing(written)

    def reopen(self) -> None:
        """See ``Backend``."""
        self._resource.reopen()
        self._closed = self._closing = False
        self.files.closed_by = None
        _open.add(self)
        self._begun()

    def remove(self) -> None:
        """See ``Backend``."""
        with contextlib.suppress(Exception):
            self.close()
        if len(self.files.takers) == 1:
            for part in self.parts:
                with contextlib.suppress(*FAILURES):
                    tf.io.gfile.remove(part.path)

    def leave_to_parent(self, parent: int) -> None:
        """In a forked child: leaves the parent's file alone and begins one of the child's own (SW505).

        Args:
            parent: The process that the writer was used in before.
        """
        self._resource.close()
        self._resource.reopen()
        self.files.forget()
        self.lost = self._added = self.written = 0
        self._begun()
        self._report(used_after_fork(parent, process.pid, self.path))


_open: weakref.WeakSet[ResourceBackend] = weakref.WeakSet()


def _shared_by_resource(files: ResourceFiles, resource: Resource) -> ResourceFiles:
    """The files of a resource; those of another writer where TensorFlow gave us the resource of that one."""
    if files.find():
        return files
    key = resource.key()
    for other in list(_open):
        if other._resource.key() == key:
            other.files.endings |= files.endings
            return other.files
    return files

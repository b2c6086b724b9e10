"""The backend for TF2: TensorFlow's eager summary resource writes, and its file is read back as it grows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf

from safewriter.checks.landing import Fate, event_file_gone, events_lost, used_after_fork
from safewriter.checks.tf2 import Silence, never_recorded
from safewriter.eventfile.read import count_records
from safewriter.findings import Desk, Finding
from safewriter.recording.backend import Part
from safewriter.recording.growing import GrowingFile, files_with
from safewriter.recording.ledger import Ledger
from safewriter.recording.turn import Turn
from safewriter.recording.usage import USAGE
from safewriter.system import ending, process

_CREDIT = 0.005  # seconds that reading back may take at first
_SHARE = 0.02  # of the time that has passed, afterwards; what it leaves is read when the writer is closed, or asked


class EagerResource(Protocol):
    """A summary resource of TensorFlow's, and how to end it and make it anew beneath its handle."""

    def add(self, event: Any) -> None:
        """Writes one event."""

    def flush(self) -> None:
        """Brings what it holds to the file."""

    def close(self) -> None:
        """Ends the resource."""

    def reopen(self) -> None:
        """Makes it anew, with a new file. Functions that captured the handle go on into that."""


class ResourceBackend:
    """What became of the files of one resource. Events don't pass through it: ``tf.summary`` hands them to TensorFlow.

    Accepted is what was read back, so an event counts from the look that finds it.

    Args:
        resource: What writes; None in graph mode, where only a session could ask it.
        directory: The log directory: an absolute path, or a URL.
        token: What its files are known by; see ``session.new_token``.
        remote: The directory is a URL.
        desk: The writer's.
        report: Takes SW502 and SW503.
        take: Is called with each event that is read back.
    """

    def __init__(
        self,
        resource: EagerResource | None,
        directory: str,
        token: str,
        *,
        remote: bool,
        desk: Desk,
        report: Callable[[Finding], None],
        take: Callable[[Any], None],
    ) -> None:
        self.generation = 1
        self.lost = 0
        self._resource = resource
        self._directory = directory
        self._token = token
        self._remote = remote
        self._desk = desk
        self._report = report
        self._take = take
        self._files: list[GrowingFile] = []
        self._rescued: list[Part] = []
        self._failed: OSError | None = None
        self.find()

    def find(self) -> None:
        """Opens files that the resource has begun since the last look."""
        known = {file.part.path for file in self._files}
        for path in files_with(self._directory, self._token, remote=self._remote):
            if path not in known:
                with contextlib.suppress(OSError, tf.errors.OpError):
                    self._files.append(GrowingFile(path, remote=self._remote))

    # The account.

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, rescued ones last."""
        return [*(file.part for file in self._files), *self._rescued]

    @property
    def path(self) -> str:
        """The file that is written to, or was last; the log directory where there is none yet."""
        return self._files[-1].part.path if self._files else self._directory

    @property
    def accepted(self) -> int:
        """Events that were read back, whatever became of them."""
        return sum(file.part.events for file in self._files)

    @property
    def size(self) -> int:
        """Bytes that TensorFlow has written to the file of now, read back or not."""
        return self._files[-1].grown_to() if self._files else 0

    @property
    def grows_at_once(self) -> bool:
        """Whether an event is in the file when the call that wrote it returns."""
        return not self._remote

    def written_behind(self, offset: int) -> int:
        """Events in the file of now behind an offset; at least one."""
        with contextlib.suppress(OSError):
            return max(count_records(self.path, offset)[0], 1)
        return 1

    @property
    def landed(self) -> int:
        """Those that can be read in the log directory."""
        return self.accepted - self.lost

    @property
    def pending(self) -> int:
        """Nothing that could be counted: what TensorFlow holds of a remote file was not read back yet."""
        return 0

    # Taking.

    def write(self, event: Any) -> None:
        """Hands one event to the resource. Raises what TensorFlow raises."""
        if self._resource is not None:
            self._resource.add(event)

    def write_in_between(self, event: Any) -> None:
        """The same: TensorFlow's resource has a lock of its own, held for one record."""
        self.write(event)

    def prepare(self) -> None:
        """Nothing: TensorFlow's resource has its file."""

    def flush(self, timeout: float | None = None) -> None:
        """Flushes, and goes on in a new file where this one is gone. See ``Backend``."""
        if self._resource is not None:
            self._resource.flush()
        self.go_on()

    def look(self, seconds: float | None = None) -> bool:
        """Reads on in each file; whether all was read. Never calls TensorFlow's resource."""
        if not self._files:
            self.find()
        done = [file.read(self._take, seconds) for file in self._files]
        return all(done)

    def go_on(self) -> None:
        """Where the file is gone: ends it, saves what can be saved, and begins a new one beneath the same handle.

        Only to be called in a thread of the user's: between the two, a write of another thread would fail.
        """
        if self._resource is None or not self._files or self._files[-1].part.final:
            return
        fate, _ = self._files[-1].fate()
        if fate is Fate.INTACT:
            return
        self._resource.close()
        old = self._files[-1]
        old.read(self._take)
        goes_on = ""
        with contextlib.suppress(tf.errors.OpError):
            self._resource.reopen()
            self.generation += 1
            self.find()
            goes_on = self.path if self._files[-1] is not old else ""
        self._finish(old, goes_on)

    def _finish(self, file: GrowingFile, goes_on: str | None) -> None:
        """TensorFlow no longer writes to a file: what can't be read where it is is copied, or counted as lost."""
        fate, state = file.fate()
        part = file.part
        readable = 0 if fate in (Fate.DELETED, Fate.REPLACED) else file.whole_records()
        lost = 0
        if fate is Fate.TRUNCATED:
            lost = max(part.events - readable, 0)
        if fate not in (Fate.INTACT, Fate.MOVED) or file.damaged:
            lost += self._rescue(file, readable, fate)
        part.lost, part.landed = lost, part.events - lost
        self.lost += lost
        file.close()
        if fate is not Fate.INTACT:
            self._report(event_file_gone(state, fate, part.events, lost, goes_on))

    def _rescue(self, file: GrowingFile, readable: int, fate: Fate) -> int:
        """Copies what is behind the readable events; gives how many could not be."""
        part = file.part
        behind = 0 if fate is Fate.TRUNCATED else part.events - readable
        try:
            saved = file.rescue(self._directory, after=readable)
        except (OSError, tf.errors.OpError) as error:
            self._failed = error if isinstance(error, OSError) else None
            return max(behind, 0)
        if saved is None:
            return max(behind, 0)
        self._rescued.append(saved)
        part.events += max(readable + saved.events - part.events, 0)  # behind a damaged record: not read until now
        return max(part.events - readable - saved.events, 0) if fate is not Fate.TRUNCATED else 0

    def resource_has_ended(self) -> None:
        """TensorFlow's own ``close`` was called: what is left is to read back."""
        self._resource = None

    def close(self, timeout: float | None = None) -> list[Finding]:
        """Ends the resource, reads everything back and gives the files back. See ``Backend``."""
        if self._resource is not None:
            with contextlib.suppress(tf.errors.NotFoundError):  # a function of the user's has closed it
                self._resource.close()
        self.find()
        self.look()
        for file in self._files:
            if not file.part.final:
                self._finish(file, None)
        failed, self._failed = self._failed, None
        return [events_lost(self.path, failed, self.lost, 0)] if failed is not None and self.lost else []

    def reopen(self) -> None:
        """Nothing: a closed writer of TF2's stays closed."""

    def remove(self) -> None:
        """Takes away what a constructor that failed has created."""
        if self._resource is not None:
            with contextlib.suppress(Exception):
                self._resource.close()
        for file in self._files:
            file.close()
            with contextlib.suppress(OSError):
                os.unlink(file.part.path)

    def begin_in_child(self, parent: int) -> None:
        """In a forked child: the child goes on in a file of its own, and the parent's file stays the parent's."""
        for file in self._files:
            file.close()
        self._files, self._rescued, self.lost = [], [], 0
        if self._resource is not None:
            self._resource.close()
            self._resource.reopen()
        self.find()
        self._report(used_after_fork(parent, process.pid, self.path))

    def after_fork(self) -> None:
        """Nothing: no lock is held here."""


class ResourceEvents:
    """What stands between a TF2 writer and its backend: books what is read back, and knows how the writer was used.

    Attributes:
        backend: Where events are.
        sums: What closing had to say.
        news: What came up and has not been reported yet.
        entered: How often the writer was made the default.
        active: How many blocks are open in which it is the default.
        entered_off: How often it was made the default where recording was switched off.
        entered_in_trace: It was made the default inside a function: that writes to it wherever it is called.
    """

    backend: ResourceBackend
    ledger: Ledger

    def __init__(self, *, graph_mode: bool) -> None:
        self.turn = Turn()
        self.sums: list[Finding] = []
        self.news: list[Finding] = []
        self.entered = 0
        self.active = 0
        self.entered_off = 0
        self.entered_in_trace = False
        self.may_be_silent = False  #: this process is not the one that is meant to write
        self.graph_mode = graph_mode
        self._closed = False
        self._pid = process.pid
        self._tags_seen = 0
        self._began = time.perf_counter()
        self._spent = 0.0  # seconds on reading

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def foreign(self) -> bool:
        """Whether it is another process's: we are a forked child that has not used it yet."""
        return self._pid != process.pid

    def prepare(self) -> None:
        """Nothing: TensorFlow's resource has its file."""

    def after_fork(self) -> None:
        """In a forked child: the threads that held locks are not there."""
        self.turn.begin_anew()

    def take(self, event: Any) -> None:
        """Books an event that was read back."""
        ledger = self.ledger
        summary = event.summary
        if not summary.value:
            return
        ledger.summaries += 1
        with ledger.desk.guard("values"):
            step = int(event.step)
            self.news += ledger.values.observe(summary, step, step)
            tags = ledger.values.tags
            if len(tags) != self._tags_seen:
                self._tags_seen = len(tags)
                for value in summary.value:
                    if tags[value.tag].count == 1:
                        self.news += ledger.first_write(value.tag)

    def look(self, *, whole: bool = False) -> None:
        """Reads back and books, in any thread; what comes up waits in ``news``. Nothing during another look.

        Args:
            whole: Read all, whatever it costs; else as far as the share of time goes that reading may take.
        """
        if self.turn.reentered() or not self.turn.lock.acquire(blocking=False):
            return
        try:
            if not self._closed and not self.foreign:
                with self.ledger.desk.guard("event file"):
                    self._read(whole=whole)
                    self.ledger.flushed()  # nothing waits in memory that the user would have to flush
        finally:
            self.turn.lock.release()

    def _read(self, *, whole: bool = False) -> None:
        begun = time.perf_counter()
        left = _CREDIT + _SHARE * (begun - self._began) - self._spent
        if whole or left > 0.0:
            self.backend.look(None if whole else left)
            self._spent += time.perf_counter() - begun

    def flush(self) -> None:
        """Flushes, reads back, and goes on in a new file where the old one is gone.

        Raises:
            tf.errors.OpError: What TensorFlow raises.
        """
        if self.turn.reentered():
            return
        with self.turn.lock:
            if not self._closed and not self.foreign:
                self._in_our_guard(self._flush_and_read)

    def go_on(self) -> None:
        """The same without flushing."""
        if self.turn.reentered():
            return
        with self.turn.lock:
            if not self._closed and not self.foreign:
                self._in_our_guard(self._look_and_go_on)

    def _look_and_go_on(self) -> None:
        self._read()
        self.backend.go_on()

    def _flush_and_read(self) -> None:
        self.backend.flush()
        self._read()

    def _in_our_guard(self, call: Callable[[], None]) -> None:
        """Lets what TensorFlow raises through, and nothing else."""
        failed: Exception | None = None
        with self.ledger.desk.guard("event file"):
            try:
                call()
            except tf.errors.OpError as error:
                failed = error
            self.ledger.flushed()
        if failed is not None:
            raise failed

    def begin_in_child(self) -> None:
        """In a forked child: the first use begins a file of its own."""
        parent, self._pid = self._pid, process.pid
        self._tags_seen = 0
        self.ledger.begin_in_child()
        self.backend.begin_in_child(parent)

    def close(self, timeout: float | None = None) -> None:
        """Ends the resource and reads everything back; what came up is in ``sums`` and ``news``."""
        if self.turn.reentered():
            return
        with self.turn.lock:
            if self._closed:
                return
            self._closed = True
            if self.foreign:
                return
            with self.ledger.desk.guard("event file"):
                self.sums += self.backend.close(timeout)
            with self.ledger.desk.guard("usage"):
                self.news += USAGE.settled(self)
                self.sums += USAGE.captured_since(self)
            with self.ledger.desk.guard("silence"):
                self.news += self._silence(at_end=timeout is not None)
            self.ledger.flushed()

    def _silence(self, *, at_end: bool) -> list[Finding]:
        """SW307 or SW311, where the writer ends without one event and nothing broke the program off."""
        if self.backend.accepted or self.may_be_silent:
            return []
        if ending.breaks_off(sys.exc_info()[1]) or (at_end and ending.broken_off()):
            return []
        known = [*self.ledger.desk.findings, *self.news]
        if any(finding.code in ("SW309", "SW310") for finding in known):  # the cause was reported
            return []
        how = Silence.NEVER_DEFAULT if not self.entered else Silence.NOTHING_CAME
        if self.entered and self.entered_off == self.entered:
            how = Silence.RECORDING_OFF
        if self.graph_mode and not self.backend.parts:
            how = Silence.NOT_INITIALISED
        return [never_recorded(self.ledger.logdir, how, USAGE.causes(self))]

    @property
    def can_be_captured(self) -> bool:
        """Whether what its file grows by now can only come from a function that was traced under it before."""
        return not (self.active or self.entered_in_trace or self.closed or self.foreign or self.graph_mode) and (
            self.backend.grows_at_once
        )

    def remove(self) -> None:
        """Takes away what a constructor that failed has created."""
        self._closed = True
        self.backend.remove()

"""The event writer of a TF2 writer: ``tf.summary`` hands events to TensorFlow, and what is read back is booked here."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_summary_ops

from safewriter.checks.logdir import scheme_of
from safewriter.checks.tf2 import Silence, never_recorded
from safewriter.findings import Finding
from safewriter.recording.event_writer import Landing
from safewriter.recording.ledger import Ledger
from safewriter.recording.resource import ResourceBackend
from safewriter.recording.usage import USAGE
from safewriter.recording.watcher import WATCHER
from safewriter.system import ending, process


class EagerResource:
    """The resource behind the handle of an eager writer.

    Args:
        handle: Of the resource.
        create: The op that begins its file, called with the handle.
        events: Of the writer.
    """

    def __init__(self, handle: Any, create: Callable[[Any], Any], events: EagerEvents) -> None:
        self._handle = handle
        self._create = create
        self.may_exchange = events.may_exchange
        self.stays_open = events.stays_open

    def key(self) -> object:
        """See ``Resource``: nobody else has the handle."""
        return self

    def add(self, event: Any) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            gen_summary_ops.import_event(self._handle, event.SerializeToString())

    def flush(self) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            gen_summary_ops.flush_summary_writer(self._handle)

    def close(self) -> None:
        """See ``Resource``; nothing where a function of the user's has closed it."""
        with tf.init_scope(), ops.device("cpu:0"):
            try:
                gen_summary_ops.close_summary_writer(self._handle)
            except tf.errors.NotFoundError:
                return

    def reopen(self) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            self._create(self._handle)


class NoResource:
    """In graph mode only a session could reach the resource; its file can be read all the same."""

    def key(self) -> object:
        """See ``Resource``."""
        return self

    def add(self, event: Any) -> None:
        """See ``Resource``."""

    def flush(self) -> None:
        """See ``Resource``."""

    def close(self) -> None:
        """See ``Resource``."""

    def reopen(self) -> None:
        """See ``Resource``."""

    def may_exchange(self) -> bool:
        """See ``Resource``."""
        return False

    def stays_open(self) -> bool:
        """See ``Resource``."""
        return False


class EagerEvents(Landing):
    """What stands between a TF2 writer and its backend: books what is read back, and knows how the writer was used.

    Args:
        graph_mode: The writer was created in a graph.
        may_be_silent: Nobody expects events of this writer: another process is the one that is meant to write.

    Attributes:
        ledger: The writer's account; set when the writer is constructed.
        writer: Gives the writer while it is there; set as well.
        news: What came up and has not been reported yet.
        entered: How often the writer was made the default.
        entered_off: How often that was where recording was switched off.
        entered_in_trace: It was made so inside a function, which writes to it wherever it is called.
    """

    backend: ResourceBackend
    ledger: Ledger
    writer: Callable[[], Any]

    def __init__(self, *, graph_mode: bool, may_be_silent: bool) -> None:
        self.news: list[Finding] = []
        self._begin(self.news.append)
        self.in_child = self._book_in_child
        self.graph_mode = graph_mode
        self.entered = 0
        self.entered_off = 0
        self.entered_in_trace = False
        self._may_be_silent = may_be_silent
        self._blocks: Counter[int] = Counter()  # in which it is the default, by thread
        self._tags_seen = 0
        self._program_ends = False

    # As the default writer.

    @property
    def active(self) -> int:
        """How many blocks are open in which it is the default writer."""
        return sum(self._blocks.values())

    def enter(self, *, recording: bool = True) -> None:
        """It becomes the default writer of this thread.

        Args:
            recording: False where ``record_if`` has switched recording off.
        """
        self.entered += 1
        self.entered_off += not recording
        self.entered_in_trace |= not tf.executing_eagerly()
        self._blocks[threading.get_ident()] += 1

    def leave(self) -> None:
        """A block in which it was the default has ended."""
        self._blocks[threading.get_ident()] -= 1

    @property
    def can_be_captured(self) -> bool:
        """Whether only a function that was traced under it before can write to it now, which its file's size shows."""
        used = self.active or self.entered_in_trace or self._closed or self.foreign or self.graph_mode
        return not used and not scheme_of(self.ledger.directory)  # a remote file grows when it is flushed

    def may_exchange(self) -> bool:
        """Whether the resource may be ended for a moment: no other thread has the writer as its default one."""
        here = threading.get_ident()
        alive = {thread.ident for thread in threading.enumerate()}
        others = any(blocks > 0 for ident, blocks in list(self._blocks.items()) if ident != here and ident in alive)
        return not others and not WATCHER.is_this_thread()

    def stays_open(self) -> bool:
        """Whether the program ends, and a daemon thread may write on."""
        return self._program_ends and WATCHER.others_run()

    # In a forked child.

    def begin_in_child(self) -> None:
        """In a forked child, before its first event: begins a file of its own. Nothing in the writer's process."""
        if self.pid == process.pid or self.graph_mode or self._closed or self.turn.reentered():
            return
        with self.turn.lock, self.ledger.desk.guard("fork"):
            if self.pid != process.pid:
                self._go_on_in_child()

    def _book_in_child(self) -> None:
        self._tags_seen = 0
        self.ledger.begin_in_child()

    def _leave_to_parent(self, parent: int) -> None:
        self.backend.leave_to_parent(parent)

    # Reading back.

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
        """Reads back and books, in any thread; what comes up waits in ``news``. Nothing in the middle of another call.

        Args:
            whole: Wait for another thread's look, and read all; else as far as reading may cost.
        """
        turn = self.turn
        if turn.reentered() or not turn.lock.acquire(blocking=whole):
            return
        try:
            if not self._closed and not self.foreign:
                with self.ledger.desk.guard("event file"):
                    self.backend.look(whole=whole)
                    self.ledger.flushed()  # nothing waits in memory that the user would have to flush
        finally:
            turn.lock.release()
            turn.act()

    def go_on(self) -> None:
        """Reads back, and goes on in a new file where something has become of this one."""
        turn = self.turn
        if turn.reentered():
            return
        try:
            with turn.lock:
                if not self._closed and not self.foreign:
                    self.backend.go_on()
                    self.ledger.flushed()
        finally:
            turn.act()

    def flush(self) -> None:
        """See ``Landing``. Raises what TensorFlow raises."""
        try:
            super().flush()
        finally:
            self.ledger.flushed()

    def close(self, timeout: float | None = None) -> None:
        """See ``Landing``; where nothing ever came, that is in ``news``."""
        was_open = not self._closed
        self._program_ends = timeout is not None and self.writer() is not None
        super().close(timeout)
        if was_open and self._closed and not self.foreign:
            with self.ledger.desk.guard("usage"):
                self.news += USAGE.settled(self)
                self.sums += USAGE.captured_since(self)
            with self.ledger.desk.guard("silence"):
                self.news += self._silence(at_end=timeout is not None)
            self.ledger.flushed()

    def _silence(self, *, at_end: bool) -> list[Finding]:
        """SW307 or SW311, where the writer ends without one event and nothing broke the program off."""
        if self.backend.accepted or self._may_be_silent:
            return []
        if ending.breaks_off(sys.exc_info()[1]) or (at_end and ending.broken_off()):
            return []
        known = [*self.ledger.desk.findings, *self.news]
        if any(finding.code in ("SW309", "SW310") for finding in known):  # the cause was reported
            return []
        how = Silence.NEVER_DEFAULT if not self.entered else Silence.NOTHING_CAME
        if self.entered and self.entered_off == self.entered:
            how = Silence.RECORDING_OFF
        if self.graph_mode and self.entered:
            how = Silence.NEVER_RUN
        if self.graph_mode and not self.backend.parts:
            how = Silence.NOT_INITIALISED
        traced = str(USAGE.traced_under.get(self, ""))
        return [never_recorded(self.ledger.logdir, how, USAGE.causes(self), watched=USAGE.watched(), traced=traced)]

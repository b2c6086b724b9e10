"""The event writer of a TF2 writer: ``tf.summary`` hands events to TensorFlow, and what is read back is booked here."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_summary_ops, summary_ops_v2

from safewriter.checks.logdir import scheme_of
from safewriter.checks.tf2 import Silence, never_recorded
from safewriter.findings import Desk, Finding
from safewriter.recording import scope
from safewriter.recording.landing import Landing
from safewriter.recording.ledger import Ledger
from safewriter.recording.resource import Resource, ResourceBackend
from safewriter.recording.usage import USAGE
from safewriter.recording.watcher import WATCHER
from safewriter.system import ending

_LOOK_EVERY = 0.25  # seconds between two looks at the end of a `with` block: one block a step costs nothing then


class EagerResource(Resource):
    """The resource behind the handle of an eager writer.

    Args:
        handle: Of the resource.
        create: The op that begins its file, called with the handle.
        events: Of the writer.
    """

    def __init__(self, handle: Any, create: Callable[[Any], Any], events: EagerEvents) -> None:
        self._handle = handle
        self._create = create
        self._events = events

    def may_exchange(self) -> bool:
        """See ``Resource``."""
        return self._events.may_exchange()

    def stays_open(self) -> bool:
        """See ``Resource``."""
        return self._events.stays_open()

    def add(self, event: Any) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            gen_summary_ops.import_event(self._handle, event.SerializeToString())

    def flush(self) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            gen_summary_ops.flush_summary_writer(self._handle)

    def close(self) -> None:
        """See ``Resource``; nothing where a function of the user's has closed it, a flush where it stays open."""
        end = gen_summary_ops.flush_summary_writer if self.stays_open() else gen_summary_ops.close_summary_writer
        with tf.init_scope(), ops.device("cpu:0"):
            try:
                end(self._handle)
            except tf.errors.NotFoundError:
                return

    def reopen(self) -> None:
        """See ``Resource``."""
        with tf.init_scope(), ops.device("cpu:0"):
            self._create(self._handle)


class EagerEvents(Landing):
    """The part of a TF2 writer that is ours: books and reports what is read back, and knows how the writer was used.

    Args:
        desk: The writer's.
        graph_mode: The writer was created in a graph.
        may_be_silent: Nobody expects events of this writer: another process is the one that is meant to write.
        flush_secs: Between two flushes of a remote file; None of a local one, which has no need of them.

    Attributes:
        ledger: The writer's account; set when the writer is constructed.
        writer: Gives the writer while it is there; set as well.
        news: What came up and has not been reported yet.
        due: The next eager write is to look first: a loop may never call us otherwise.
        of_a_fit: Keras' ``fit`` made it the default one.
        entered: How often the writer was made the default.
        entered_off: How often that was where recording was switched off.
        entered_in_trace: It was made so inside a function, which writes to it wherever it is called.
    """

    backend: ResourceBackend
    ledger: Ledger
    writer: Callable[[], Any]

    def __init__(self, desk: Desk, *, graph_mode: bool, may_be_silent: bool, flush_secs: float | None) -> None:
        self.news: list[Finding] = []
        self._begin(self.news.append)
        self.desk = desk
        self.graph_mode = graph_mode
        self.due = False
        self.of_a_fit = False
        self.entered = 0
        self.entered_off = 0
        self.entered_in_trace = False
        self._may_be_silent = may_be_silent
        self._flush_secs = flush_secs
        self._looked = self._flushed = time.monotonic()
        self._blocks: Counter[int] = Counter()  # in which it is the default, by thread
        self._program_ends = False

    # As the default writer.

    @property
    def active(self) -> int:
        """How many blocks are open in which it is the default writer."""
        return sum(self._blocks.values())

    def enter(self) -> None:
        """It becomes the default writer of this thread."""
        self.entered += 1
        self.entered_off += summary_ops_v2._summary_state.is_recording is False
        self.entered_in_trace |= not tf.executing_eagerly()
        self._blocks[threading.get_ident()] += 1

    def leave(self, *, may_raise: bool) -> None:
        """A block in which it was the default one has ended, and TensorFlow has flushed it."""
        self._blocks[threading.get_ident()] -= 1
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY:
            self._looked = now
            if self._flush_secs is None:
                self.go_on()
            self.ledger.look_around()
        with self.desk.guard("usage"):
            self.news += USAGE.settled(self)
        self.deliver(may_raise=may_raise)

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

    def is_here(self) -> bool:
        """Whether the resource is eager, and so is the call."""
        return not self.graph_mode and tf.executing_eagerly()

    def make_usable(self) -> None:
        """The process was forked, or the resource could not be made anew when its file was gone."""
        if self._closed or self.graph_mode:
            return
        if self.foreign:
            with self.desk.guard("fork"):
                self.prepare()
            with self.desk.guard("fork"):
                scope.current().enter(self.ledger, may_share=True)
                WATCHER.add(self)
                self.deliver(may_raise=False)  # the child may end without another call of ours
        with contextlib.suppress(tf.errors.OpError):  # then what TensorFlow is about to do fails
            self.backend.before_use()

    def _leave_to_parent(self, parent: int) -> None:
        self.ledger.begin_in_child()
        self.backend.leave_to_parent(parent)

    # Reading back.

    def take(self, event: Any) -> None:
        """Books an event that was read back."""
        if event.summary.value:
            self.ledger.summaries += 1
            step = int(event.step)
            self.news += self.ledger.book(event.summary, step, step)

    def look(self, *, whole: bool = False) -> None:
        """Reads back and books, in any thread; what comes up waits in ``news``. Nothing in the middle of another call.

        Args:
            whole: Wait for another thread's look, and read all; else as far as reading may cost.
        """
        turn = self.turn
        if turn.reentered():
            return
        try:
            if whole:
                with turn.lock:
                    self._look(whole=True)
            elif turn.lock.acquire(blocking=False):  # by the watcher: in its thread no handler raises before the `try`
                try:
                    self._look(whole=False)
                finally:
                    turn.lock.release()
        finally:
            turn.act()

    def _look(self, *, whole: bool) -> None:
        if not self._closed and not self.foreign:
            with self.desk.guard("event file"):
                self.backend.look(whole=whole)
                self.ledger.flushed()  # nothing waits in memory that the user would have to flush

    def look_aside(self) -> bool:
        """See ``Watched``."""
        if self._closed or self.foreign:
            return False
        with self.desk.guard("watcher"):
            if self._flush_secs is None:
                self.look()
                self.due = True
            elif not self.graph_mode and time.monotonic() - self._flushed > self._flush_secs:
                self._flushed = time.monotonic()
                self.flush()
            self._deliver_aside()
        return True

    def look_first(self) -> None:
        """A second has passed since the last look: before the next write, what became of the file meanwhile."""
        self.due = False
        self.go_on()
        self._deliver_aside()

    def go_on(self) -> None:
        """Reads back, and goes on in a new file where something has become of this one."""
        self.turn.run(self._go_on)

    def _go_on(self) -> None:
        if not self._closed and not self.foreign:
            self.backend.go_on()
            self.ledger.flushed()

    # Reporting, and ends.

    def deliver(self, *, may_raise: bool = True) -> None:
        """Reports what came up, at the line that created the writer: what is read back came from no one line."""
        if self.news or self.desk.unsaid:
            self.desk.report_all(self.ledger.take_news(), may_raise=may_raise, at_creation=True)

    def _deliver_aside(self) -> None:
        if not self.desk.policy.strict:  # there the user's next call raises
            self.deliver(may_raise=False)

    def _flush(self) -> None:
        try:
            super()._flush()
        finally:
            self.ledger.flushed()

    def end(self, error: BaseException | None) -> None:
        """The writer is closed."""
        ledger = self.ledger
        self.look(whole=True)
        ledger.look_around(at_end=True)
        ledger.scope.close(ledger, self.close, may_raise=error is None, at_creation=True)

    def _close(self, timeout: float | None) -> None:
        """Where nothing ever came, that is in ``news``."""
        was_open = not self._ended
        self._program_ends = timeout is not None and self.writer() is not None
        super()._close(timeout)
        if was_open and not self.foreign:
            with self.desk.guard("usage"):
                self.news += USAGE.settled(self)
                self.sums += USAGE.captured_since(self)
            with self.desk.guard("silence"):
                self.news += self._silence(at_end=timeout is not None)
            self.ledger.flushed()

    def _silence(self, *, at_end: bool) -> list[Finding]:
        """SW307 or SW311, where the writer ends without one event and nothing broke the program off."""
        if self.backend.accepted or self._may_be_silent:
            return []
        if ending.breaks_off(sys.exc_info()[1]) or (at_end and ending.broken_off()):
            return []
        known = [*self.desk.findings, *self.news]
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

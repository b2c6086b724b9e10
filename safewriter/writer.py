"""``SafeFileWriter``: gathers facts from TensorFlow, asks the judges, and hands each event on to land."""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.summary_pb2 import Summary
from tensorflow.core.util.event_pb2 import Event
from tensorflow.python.summary.writer.writer import FileWriter, SummaryToEventTransformer

from safewriter.facts import stock
from safewriter.findings import Finding, users_place
from safewriter.recording import scope
from safewriter.recording.adding import Adding, merge_into, refuse, warn_of_closed, whole
from safewriter.recording.event_writer import SafeEventFileWriter, SafeSessionEventWriter
from safewriter.recording.opening import Plan, cannot_create, free_space, open_files, open_session
from safewriter.recording.queued import Queueing
from safewriter.recording.report import WriterReport
from safewriter.system import ending

_STOCK_ADD_SUMMARY = SummaryToEventTransformer.add_summary
if not _STOCK_ADD_SUMMARY.__code__.co_filename.endswith(os.path.join("summary", "writer", "writer.py")):
    _STOCK_ADD_SUMMARY = None  # a tool has replaced it already


if TYPE_CHECKING:
    _Self = TypeVar("_Self", bound="_FileWriter")

    class _FileWriter(FileWriter):  # type: ignore[misc]
        """The types of what is inherited as it is: TensorFlow has none."""

        def __enter__(self: _Self) -> _Self: ...
        def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None: ...
        def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None: ...
        def add_session_log(self, session_log: Any, global_step: Any = None) -> None: ...
else:
    _FileWriter = FileWriter


class SafeFileWriter(_FileWriter):
    """``tf.compat.v1.summary.FileWriter`` that loses nothing in silence.

    It takes the same arguments, has the same methods and writes files that TensorBoard reads in the same way. Use it
    as a context manager, from any number of threads.

    Args:
        logdir: Directory for the event files, as ``str``, ``bytes`` or path object; made if it isn't there. On the file
            systems of ``tf.io.gfile``, a URL.
        graph: A ``tf.Graph`` to store in the file, such as ``sess.graph``. Summary ops of it that no writer gets are
            reported.
        max_queue: Events that may wait in memory while a remote or slow storage is busy.
        flush_secs: Seconds after which a remote or slow storage is written to, without a next event too. On a local
            disk each event is written at once.
        graph_def: Deprecated by TensorFlow: the graph as a ``GraphDef``.
        filename_suffix: What the file's name ends with.
        session: A ``tf.compat.v1.Session``: write through its summary resource, as ``FileWriter`` does.
        strict: Raise ``SafeWriterError`` where a warning would be given.
        ignore: Codes, names or code prefixes that are not reported: ``("SW402", "no-step", "SW4")``.
        resume_step: The run goes on from a checkpoint at this step, in its old directory: TensorBoard is made to drop
            the points after it.

    Raises:
        SafeWriterError: The log directory can't be written to (SW101, SW102, SW103, SW105); also the built-in error
            that fits. Nothing is left behind.
        RuntimeError: Eager execution is enabled, as in ``FileWriter``.
        TypeError: ``graph`` is none.
        ValueError: An unknown code in ``ignore``; the message lists the right ones.
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
        *,
        strict: bool = False,
        ignore: str | Iterable[str] = (),
        resume_step: int | None = None,
    ) -> None:
        if tf.executing_eagerly():
            raise RuntimeError(
                "v1.summary.FileWriter is not compatible with eager execution. Use `tf.summary.create_file_writer`, or "
                "a `with v1.Graph().as_default():` context, or call `tf.compat.v1.disable_eager_execution()` first."
            )
        plan = Plan(logdir, strict, ignore, resume_step)
        self._desk = desk = plan.desk
        news: list[Finding] = []
        suffix, queue = filename_suffix or "", Queueing(max_queue, flush_secs)
        events: SafeEventFileWriter | SafeSessionEventWriter
        if session is None:
            events = open_files(plan, suffix, news.append, queue)
        else:
            events = open_session(session, plan, suffix, news.append, queue)
        self._events = events
        self._ledger = ledger = plan.ledger(events, news, shares=session is not None)
        ledger.scope = scope.current()
        self._adding = adding = Adding(ledger, news)
        events.in_child = adding.begin_in_child
        try:
            with desk.guard("disk space"):
                desk.report_all(free_space(plan.directory))
            desk.report_all(scope.current().enter(ledger))
            with desk.guard("directory"):
                desk.report_all(plan.watch(ledger) + adding.look_beside())
            adding.open(graph)
            SummaryToEventTransformer.__init__(self, events, graph, graph_def)
            for marker in plan.purge_markers:
                self.add_event(marker)
        except BaseException:
            self._give_up()
            raise
        self._finalizer = weakref.finalize(self, scope.abandon, ledger)
        self._finalizer.atexit = False  # the exit hook ends writers in their order
        adding.begun = True
        adding.deliver()

    @property
    def _closed(self) -> bool:
        """What TensorFlow's own methods ask; the event writer knows."""
        return self._events.closed

    def _give_up(self) -> None:
        """The constructor failed: leaves nothing behind."""
        ledger = self._ledger
        ledger.scope.leave(ledger)
        ledger.scope.graphs.discard(ledger.key)
        self._events.remove()

    # Adding.

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Writes one summary.

        Args:
            summary: What ``sess.run`` of a summary op or of a merge gave (``bytes``), or a ``Summary`` message. It is
                left as it is.
            global_step: The step, a whole number. Without one, TensorBoard shows the point at step 0.

        Raises:
            SafeWriterError: It is no summary (SW305), or the write failed (SW502, also an ``OSError``).
            TypeError: ``global_step`` is not a number. ``ValueError`` where it has no whole number in 64 bits.
        """
        event = Event()
        ours = event.summary
        if type(summary) is bytes:
            try:
                ours.MergeFromString(summary)
            except DecodeError:
                refuse(summary, self._desk)
            serialized = summary
        else:
            serialized = merge_into(ours, summary, self._desk)
        if global_step is None:
            step = 0
        else:
            step = global_step if type(global_step) is int else whole(global_step)
            event.step = step
        self._adding.add(event, step, global_step, serialized, self._land)

    def _land(self, event: Any, global_step: Any) -> None:
        if FileWriter.add_summary is _STOCK_ADD_SUMMARY:
            event.wall_time = time.time()
            self.event_writer.add_event(event)
        else:  # a tool has replaced it to see what is written: it gets a copy
            copy = Summary()
            copy.CopyFrom(event.summary)
            self._seen_summary_tags.clear()  # the metadata to be kept has been settled already
            super().add_summary(copy, global_step)

    def add_event(self, event: Any) -> None:
        """Writes an event as it is.

        Args:
            event: An ``Event`` message.

        Raises:
            SafeWriterError: The write failed (SW502, also an ``OSError``).
            TypeError: It is no ``Event``.
        """
        if not isinstance(event, Event):
            raise TypeError(
                f"add_event takes an Event message, not {type(event).__name__}; for a summary use add_summary."
            )
        self._adding.add_plain(lambda: FileWriter.add_event(self, event), event)

    def _add_event(self, event: Any, step: Any) -> None:
        step = None if step is None else whole(step)
        self._adding.add_plain(lambda: FileWriter._add_event(self, event, step))

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Stores a graph, for TensorBoard's graph tab.

        Args:
            graph: A ``tf.Graph``, such as ``sess.graph``.
            global_step: The step.
            graph_def: Deprecated by TensorFlow.

        Raises:
            TypeError: It is no graph.
            ValueError: Both were passed.
        """
        super().add_graph(graph, global_step, graph_def)
        if isinstance(graph, tf.Graph):
            self._adding.attach(graph)

    def _warn_if_event_writer_is_closed(self) -> None:
        if self._closed:
            warn_of_closed()

    # Ends.

    def flush(self) -> None:
        """Makes sure that all events are where other programs see them.

        Raises:
            SafeWriterError: The storage refuses (SW502, also an ``OSError``).
        """
        self._warn_if_event_writer_is_closed()
        try:
            self.event_writer.flush()
        except BaseException:
            self._adding.deliver(may_raise=False)
            raise
        if not self._closed:
            self._ledger.flushed()
            self._adding.look_around()
            self._adding.deliver()

    def close(self) -> None:
        """Flushes, syncs and closes the event file, and reports what there is to say. A second call does nothing.

        Raises:
            SafeWriterError: Under ``strict``.
        """
        on_its_line = str(users_place()) == self._desk.created_at
        self._close(may_raise=True, error=sys.exc_info()[1], on_its_line=on_its_line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the writer. While an exception leaves, nothing else is raised in its place."""
        self._close(may_raise=error is None, error=error)

    def _close(self, *, may_raise: bool, error: BaseException | None, on_its_line: bool = False) -> None:
        ledger = self._ledger
        if ledger.turn.reentered():  # the interrupted call closes before it returns
            ledger.turn.leave(partial(self._close_left, error))
            return
        if self._closed and not ledger.is_open:
            self._desk.report_all(ledger.findings_after_close(), may_raise=may_raise, again=True)
            return
        if self._events.foreign:  # a forked child closes its parent's writer
            self.event_writer.close()
            return
        broken_off = True
        with self._desk.guard("exit"):
            broken_off = ending.breaks_off(error)
        self._adding.look_around(at_end=True)
        try:
            ledger.scope.close(ledger, self._end, may_raise=may_raise, broken_off=broken_off, on_its_line=on_its_line)
        finally:
            self._ledger.turn.act()

    def _end(self) -> None:
        with self._ledger.turn.lock:  # an add of another thread comes before, or finds the writer closed
            try:
                self.event_writer.close()
            finally:
                self._ledger.flushed()

    def _close_left(self, error: BaseException | None) -> None:
        with self._desk.guard("close"):
            self._close(may_raise=False, error=error)

    def reopen(self) -> None:
        """Goes on in a new event file after ``close``; nothing where the writer is open.

        Raises:
            SafeWriterError: The file can't be created (SW103, also the ``OSError`` that fits).
        """
        ledger, was_closed = self._ledger, self._closed
        try:
            self.event_writer.reopen()
        except OSError as error:
            if isinstance(self._events, SafeEventFileWriter):
                raise cannot_create(ledger.directory, error, self._desk) from error
            raise
        if was_closed and not self._closed:
            self._desk.report_all(scope.current().enter(ledger))
            self._adding.open()

    def get_logdir(self) -> str:
        """The log directory as it was passed, as ``str``."""
        return str(self.event_writer.get_logdir())

    def report(self) -> WriterReport:
        """What this writer has done so far: accepted, landed, lost, by tag, and what was reported."""
        return self._ledger.report()

    def __repr__(self) -> str:
        if not hasattr(self, "_ledger"):
            return "<SafeFileWriter, not created>"
        state = "closed" if self._closed else "open"
        return f"<SafeFileWriter {self._ledger.logdir!r}, {state}, created at {self._desk.created_at}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """A writer owns a file of one process.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            "A SafeFileWriter can't be copied or pickled: it owns an event file of this process. Pass the log "
            "directory instead, and create a writer where it is used."
        )


# Before any writer: in ``sys.exit(main())`` the name is looked up before main, and its writers, begin.
ending.watch()
stock.watch(SafeFileWriter)
scope.stock_tags = stock.StockTags

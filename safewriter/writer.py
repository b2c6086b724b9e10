"""``SafeFileWriter``: gathers facts from TensorFlow, asks the judges, and hands each event on to land."""

from __future__ import annotations

import os
import sys
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, NoReturn

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.summary_pb2 import Summary
from tensorflow.core.util.event_pb2 import Event, SessionLog
from tensorflow.python.summary.writer.writer import FileWriter, SummaryToEventTransformer

from safewriter.checks.distribution import Role, judge_creation, shared_with_tensorflow
from safewriter.checks.graph import empty_summary, not_a_summary
from safewriter.eventfile.metadata import FIELD_KEY, PluginMetadata, carries_metadata
from safewriter.facts import stock
from safewriter.facts.graph import graph_view
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Finding, Policy, guarded, users_place
from safewriter.recording import scope
from safewriter.recording.event_writer import SafeEventFileWriter, SafeSessionEventWriter
from safewriter.recording.ledger import Ledger
from safewriter.recording.opening import cannot_create, free_space, locate, open_files, open_session, resolved
from safewriter.recording.queued import Queueing
from safewriter.recording.report import WriterReport
from safewriter.recording.watch import PURGE_MARKERS, DirectoryWatch, whole_resume_step
from safewriter.system import ending

_STOCK_ADD_SUMMARY = SummaryToEventTransformer.add_summary
if not _STOCK_ADD_SUMMARY.__code__.co_filename.endswith(os.path.join("summary", "writer", "writer.py")):
    _STOCK_ADD_SUMMARY = None  # a tool has replaced it already
_CLOSED = (
    "Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is explicitly reopened."
)
_EVERY_ADD_UP_TO = 16  # adds after which the graph is looked at; later, only when their number doubles


class SafeFileWriter(FileWriter):  # type: ignore[misc]
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
        resume_step = whole_resume_step(resume_step)
        self._desk = desk = Desk(Policy.of(strict, ignore), users_place())
        self._news: list[Finding] = []
        self._metadata = PluginMetadata()
        self._tags_seen = 0
        self._knows_stock = False  # that TensorFlow's own writer is on the directory
        text, directory = locate(logdir, desk)
        role, role_in_words = Role(), ""
        with desk.guard("strategy"):
            strategy = strategy_facts()
            role, role_in_words = strategy.role, strategy.role.in_words()
            desk.report_all(judge_creation(strategy))
        suffix, queue = filename_suffix or "", Queueing(max_queue, flush_secs)
        report = self._news.append
        events: SafeEventFileWriter | SafeSessionEventWriter
        if session is None:
            events = open_files(text, directory, suffix, desk, report, _in_child(weakref.ref(self)), queue)
        else:
            events = open_session(session, text, directory, suffix, desk, report, queue)
        self._events = events
        shares = session is not None
        self._ledger = ledger = Ledger(
            text, resolved(directory), desk, events, role_in_words, self._news, shares=shares
        )
        self._turn = ledger.turn
        try:
            with desk.guard("disk space"):
                desk.report_all(free_space(directory))
            desk.report_all(guarded(desk, "writers of the process", lambda: scope.current().enter(ledger)))
            with desk.guard("directory"):
                ledger.watch = DirectoryWatch(directory, role, lambda: scope.files_in(ledger.directory), resume_step)
                desk.report_all(ledger.watch.look() + self._look_beside())
            with desk.guard("graph accounting"):
                self._open_accounts(graph)
            SummaryToEventTransformer.__init__(self, events, graph, graph_def)
            if resume_step is not None:
                self._drop_points_after(resume_step)
        except BaseException:
            self._give_up()
            raise
        self._finalizer = weakref.finalize(self, scope.abandon, ledger)
        self._finalizer.atexit = False  # the exit hook ends writers in their order
        self._deliver()

    @property
    def _closed(self) -> bool:
        """What TensorFlow's own methods ask; the event writer knows."""
        return self._events.closed

    def _drop_points_after(self, step: int) -> None:
        for _ in range(PURGE_MARKERS):
            self.add_session_log(SessionLog(status=SessionLog.START), step + 1)

    def _begin_in_child(self) -> None:
        self._ledger.begin_in_child()
        self._tags_seen = 0
        scope.current().enter(self._ledger, may_share=True)
        with self._desk.guard("graph accounting"):
            self._open_accounts()

    def _open_accounts(self, graph: Any = None) -> None:
        explicit = isinstance(graph, tf.Graph)
        chosen = graph if explicit else tf.compat.v1.get_default_graph()
        self._ledger.scope.graphs.open(graph_view(chosen), self._ledger.key, self._desk, explicit=explicit)

    def _give_up(self) -> None:
        """The constructor failed: leaves nothing behind."""
        ledger = self._ledger
        if hasattr(ledger, "scope"):
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
                self._refuse(summary)
            serialized = summary
        else:
            serialized = self._copy(summary, ours)
        if global_step is None:
            step = 0
        else:
            step = global_step if type(global_step) is int else _whole(global_step)
            event.step = step
        turn = self._turn
        if turn.reentered():
            self._add_in_between(event, step, global_step, serialized)
            return
        try:
            with turn.lock:
                if self._events.closed:
                    self._warn_if_event_writer_is_closed()
                    self._count_dropped()
                    return
                metadata = self._metadata
                if metadata.of_tag or (FIELD_KEY in serialized and carries_metadata(ours)):
                    self._land_with_metadata(event, global_step)
                else:
                    self._land(event, global_step)
                found = self._book(ours, step, global_step)
        finally:
            if turn.words:
                turn.act()
        if found or self._news or not serialized:
            self._deliver(found, empty=not serialized)

    def _add_in_between(self, event: Any, step: int, global_step: Any, serialized: bytes) -> None:
        """Adds in the middle of another call of this thread: the event lands now, the interrupted call books it."""
        if self._events.closed:
            self._turn.words.append(self._count_dropped)
            return
        with self._desk.guard("metadata"):
            self._metadata.carry(event.summary)  # it may begin a newer file
        self._land(event, global_step)

        def book() -> None:
            with self._turn.lock:
                found = self._book(event.summary, step, global_step)
            self._deliver(found, empty=not serialized, may_raise=False)

        self._turn.words.append(book)

    def _land_with_metadata(self, event: Any, global_step: Any) -> None:
        ledger, metadata = self._ledger, self._metadata
        ledger.events.prepare()
        placed: list[str] = []
        with self._desk.guard("metadata"):
            placed = metadata.settle(event.summary, ledger.events.backend.generation)
        try:
            self._land(event, global_step)
        except BaseException:
            metadata.take_back(placed)
            raise

    def _land(self, event: Any, global_step: Any) -> None:
        try:
            if FileWriter.add_summary is _STOCK_ADD_SUMMARY:
                event.wall_time = time.time()
                self.event_writer.add_event(event)
            else:
                self._add_patched(event.summary, global_step)
        except BaseException:
            if self._news:
                self._deliver(may_raise=False)
            raise

    def _book(self, ours: Any, step: int, global_step: Any) -> Sequence[Finding]:
        """Counts a summary that landed, and judges it."""
        ledger = self._ledger
        ledger.summaries = adds = ledger.summaries + 1
        try:
            found = ledger.values.observe(ours, step, global_step)
            if len(ledger.values.tags) != self._tags_seen:
                self._book_new_tags(ours)
            if adds <= _EVERY_ADD_UP_TO or not adds & (adds - 1):
                self._look_at_graphs(adds)
        except Exception:  # noqa: BLE001 - ours, whatever it is: the event is on its way
            self._desk.internal("values")
            return ()
        return found

    def _copy(self, summary: Any, ours: Any) -> bytes:
        """Takes over a summary that is not plain bytes; gives it serialized."""
        if isinstance(summary, Summary):
            ours.CopyFrom(summary)
            return ours.SerializeToString()  # type: ignore[no-any-return]
        descriptor = getattr(summary, "DESCRIPTOR", None)
        if isinstance(summary, bytes):
            serialized = bytes(summary)
        elif getattr(descriptor, "name", None) == "Summary" and hasattr(summary, "SerializeToString"):
            serialized = summary.SerializeToString()  # another package's class of the same message
        else:
            self._refuse(summary)
        try:
            ours.MergeFromString(serialized)
        except DecodeError:
            self._refuse(summary)
        return serialized

    def _refuse(self, summary: Any) -> NoReturn:
        """Raises SW305 for what is no summary."""
        self._desk.report(not_a_summary(summary))
        raise AssertionError("SW305 is an error and was raised")

    def _add_patched(self, ours: Any, global_step: Any) -> None:
        """Hands a copy to the tool that has replaced ``FileWriter.add_summary`` to see what is written."""
        copy = Summary()
        copy.CopyFrom(ours)
        self._seen_summary_tags.clear()  # the metadata to be kept has been settled already
        super().add_summary(copy, global_step)

    def _book_new_tags(self, summary: Any) -> None:
        ledger = self._ledger
        tags = ledger.values.tags
        self._tags_seen = len(tags)
        for tag, times in Counter(value.tag for value in summary.value).items():
            if tags[tag].count <= times:
                ledger.scope.graphs.wrote(ledger.key, tag)
                self._news += ledger.first_write(tag)

    def _look_beside(self) -> list[Finding]:
        """SW204, where a writer of TensorFlow's own is open on the directory; it may have come later."""
        ledger = self._ledger
        cached = None if self._knows_stock else stock.beside(ledger.directory)
        if cached is None:
            return []
        self._knows_stock = True
        return [shared_with_tensorflow(ledger.directory, cached)]

    def _look_at_graphs(self, adds: int) -> None:
        ledger = self._ledger
        if adds == 1:
            self._news += self._look_beside()
            ledger.scope.graphs.attach(graph_view(tf.compat.v1.get_default_graph()), ledger.key)
        self._news += ledger.scope.graphs.look(ledger.key, adds)

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
        self._add_plain(lambda: FileWriter.add_event(self, event), event)

    def _add_event(self, event: Any, step: Any) -> None:
        step = None if step is None else _whole(step)
        self._add_plain(lambda: FileWriter._add_event(self, event, step))

    def _add_plain(self, add: Callable[[], None], event: Any = None) -> None:
        """Adds an event that is not for ``add_summary``; one with a summary is judged all the same."""
        closed, turn = self._events.closed, self._turn

        def book() -> None:
            if closed:
                self._count_dropped()
                return
            found: Iterable[Finding] = ()
            if event is not None and event.HasField("summary"):
                with turn.lock, self._desk.guard("values"):
                    self._ledger.other_summaries += 1
                    found = self._ledger.values.observe(event.summary, event.step)
                    self._book_new_tags(event.summary)
            if hasattr(self, "_finalizer"):  # not within the constructor, which delivers itself
                self._deliver(found)

        if turn.reentered():
            add()
            turn.words.append(book)
            return
        try:
            with turn.lock:
                add()
        finally:
            if turn.words:
                turn.act()
        book()

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
            with self._desk.guard("graph accounting"):
                self._ledger.scope.graphs.attach(graph_view(graph), self._ledger.key, explicit=True)

    def _warn_if_event_writer_is_closed(self) -> None:
        if self._closed:
            place = users_place()
            warnings.warn_explicit(
                _CLOSED, UserWarning, place.filename, place.lineno, place.module, registry=place.registry
            )

    def _count_dropped(self) -> None:
        self._ledger.dropped += 1
        self._ledger.scope.owes(self._ledger)
        if self._desk.policy.strict:
            self._desk.report_all(self._ledger.findings_after_close())

    def _deliver(self, found: Iterable[Finding] = (), *, empty: bool = False, may_raise: bool = True) -> None:
        """Reports what came up during a call, when the event is on its way and no lock is held."""
        news = list(found)
        if empty:
            news.append(empty_summary())
        if self._news:
            news += self._ledger.take_news()
        if news:
            self._desk.report_all(news, may_raise=may_raise)

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
            self._deliver(may_raise=False)
            raise
        if not self._closed:
            self._ledger.flushed()
            with self._desk.guard("directory"):
                self._news += self._ledger.look_on_flush() + self._look_beside()
            self._deliver()

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
        for turn in (self._turn, self._events.turn):
            if turn.reentered():  # the interrupted call closes before it returns
                turn.words.append(partial(self._close_left, error))
                return
        ledger = self._ledger
        if self._closed:
            self.event_writer.close()
            self._desk.report_all(ledger.findings_after_close(), may_raise=may_raise, again=True)
            return
        if self._events.foreign:  # a forked child closes its parent's writer
            self.event_writer.close()
            return
        graphs, broken_off = ledger.scope.graphs, True
        with self._desk.guard("exit"):
            broken_off = ending.breaks_off(error)
        with self._desk.guard("graph accounting"):
            graphs.attach(graph_view(tf.compat.v1.get_default_graph()), ledger.key)
            self._news += graphs.look(ledger.key, ledger.summaries)
        with self._desk.guard("directory"):
            self._news += ledger.look_at_end() + self._look_beside()
        try:
            ledger.scope.close(ledger, self._end, may_raise=may_raise, broken_off=broken_off, on_its_line=on_its_line)
        finally:
            self._turn.act()

    def _end(self) -> None:
        with self._turn.lock:  # an add of another thread comes before, or finds the writer closed
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
            self._desk.report_all(guarded(self._desk, "writers of the process", lambda: scope.current().enter(ledger)))
            with self._desk.guard("graph accounting"):
                self._open_accounts()

    def get_logdir(self) -> str:
        """The log directory as it was passed, as ``str``."""
        return str(self.event_writer.get_logdir())

    def report(self) -> WriterReport:
        """What this writer has done so far: accepted, landed, lost, by tag, and what was reported."""
        with self._turn.lock:
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


def _whole(step: Any) -> int:
    try:
        return int(step)
    except OverflowError as error:  # an infinity
        raise ValueError(f"global_step must be a whole number, not {step!r}.") from error
    except (TypeError, AttributeError):  # a variable of a graph fails with the latter
        hint = "; evaluate it first: `sess.run(global_step)`" if hasattr(step, "op") else ""
        raise TypeError(f"global_step must be a whole number, not {type(step).__name__}{hint}.") from None


def _in_child(writer: weakref.ref[SafeFileWriter]) -> Callable[[], None]:
    """What a forked child does before its first event: its account begins anew."""

    def begin() -> None:
        alive = writer()
        if alive is not None:
            alive._begin_in_child()

    return begin


# Before any writer: in ``sys.exit(main())`` the name is looked up before main, and its writers, begin.
ending.watch()
stock.watch(SafeFileWriter)
scope.stock_tags = stock.StockTags

"""``SafeFileWriter``: gathers facts from TensorFlow, asks the judges, and hands each event on to land."""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NoReturn

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.summary_pb2 import Summary
from tensorflow.core.util.event_pb2 import Event, SessionLog
from tensorflow.python.summary.writer.writer import FileWriter, SummaryToEventTransformer

from safewriter.checks.distribution import Role, judge_creation
from safewriter.checks.graph import empty_summary, not_a_summary
from safewriter.checks.logdir import (
    judge_failure,
    judge_free_space,
    judge_given,
    judge_literal,
    judge_scheme,
    scheme_of,
)
from safewriter.eventfile.local import LocalFile
from safewriter.eventfile.metadata import FIELD_KEY, PluginMetadata, carries_metadata
from safewriter.eventfile.names import new_name
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Finding, Policy, error_for, guarded, users_place
from safewriter.recording import gfile
from safewriter.recording.event_writer import SafeEventFileWriter, SafeSessionEventWriter
from safewriter.recording.eventlog import EventLog, make_directories
from safewriter.recording.graphs import ACCOUNTS
from safewriter.recording.ledger import Ledger, WriterReport
from safewriter.recording.scope import REGISTRY
from safewriter.recording.watch import PURGE_MARKERS, DirectoryWatch, whole_resume_step
from safewriter.system.logdir import free_bytes, obstacle

_STOCK_ADD_SUMMARY = SummaryToEventTransformer.add_summary
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
            told.
        max_queue: Events that may wait in memory while a remote or slow storage is busy.
        flush_secs: Seconds after which a remote or slow storage is written to, without a next event too. On a local
            disk each event is written at once.
        graph_def: Deprecated by TensorFlow: the graph as a ``GraphDef``.
        filename_suffix: What the file's name ends with.
        session: A ``tf.compat.v1.Session``: write through its summary resource, as ``FileWriter`` does.
        strict: Raise ``SafeWriterError`` where a warning would be given.
        ignore: Codes, names or code prefixes that are not told: ``("SW402", "no-step", "SW4")``.
        resume_step: The run goes on from a checkpoint at this step, in its old directory: TensorBoard is told to drop
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
        self._closed = True  # until the end of this constructor, for those that look at half a writer
        if tf.executing_eagerly():
            raise RuntimeError(
                "v1.summary.FileWriter is not compatible with eager execution. Use `tf.summary.create_file_writer`, or "
                "a `with v1.Graph().as_default():` context, or call `tf.compat.v1.disable_eager_execution()` first."
            )
        resume_step = whole_resume_step(resume_step)
        desk = Desk(Policy.of(strict, ignore), users_place())
        self._desk = desk
        self._lock = threading.RLock()
        self._news: list[Finding] = []
        self._metadata = PluginMetadata()
        self._tags_seen = 0
        text, directory = _where(logdir, desk)
        strategy = None
        with desk.guard("strategy"):
            strategy = strategy_facts()
            desk.tell_all(judge_creation(strategy))
        event_writer: SafeEventFileWriter | SafeSessionEventWriter
        if session is None:
            log = _open_log(directory, filename_suffix or "", max_queue, flush_secs, self._news, desk)
            event_writer = SafeEventFileWriter(text, log, self._lock, _in_child(weakref.ref(self)))
            account: Any = log
        else:
            event_writer = account = _open_session(
                session, text, directory, max_queue, flush_secs, filename_suffix or "", self._lock, self._news
            )
        role = strategy.role if strategy is not None else Role()
        who = role.in_words()
        self._ledger = ledger = Ledger(
            text,
            _resolved(directory),
            desk,
            account,
            event_writer,
            who,
            self._lock,
            self._news,
            shares=session is not None,
        )
        self._closed = False
        try:
            with desk.guard("disk space"):
                desk.tell_all(_free_space(directory))
            desk.tell_all(guarded(desk, "registry", lambda: REGISTRY.enter(ledger, shares=session is not None)))
            with desk.guard("directory"):
                ledger.watch = DirectoryWatch(directory, role, lambda: REGISTRY.files_in(ledger.directory), resume_step)
                desk.tell_all(ledger.watch.look())
            with desk.guard("graph accounting"):
                self._open_accounts(graph)
            SummaryToEventTransformer.__init__(self, event_writer, graph, graph_def)
            if resume_step is not None:
                self._drop_points_after(resume_step)
        except BaseException:
            self._give_up(event_writer)
            raise
        self._finalizer = weakref.finalize(self, REGISTRY.abandon, ledger)
        self._finalizer.atexit = False  # the registry's own exit hook ends writers in their order
        self._deliver()

    def _drop_points_after(self, step: int) -> None:
        for _ in range(PURGE_MARKERS):
            self.add_session_log(SessionLog(status=SessionLog.START), step + 1)

    def _begin_in_child(self) -> None:
        self._ledger.begin_in_child()
        self._tags_seen = 0
        REGISTRY.enter(self._ledger, shares=True)
        with self._desk.guard("graph accounting"):
            self._open_accounts()

    def _open_accounts(self, graph: Any = None) -> None:
        explicit = isinstance(graph, tf.Graph)
        chosen = graph if explicit else tf.compat.v1.get_default_graph()
        ACCOUNTS.open(chosen, self._ledger.key, self._desk, explicit=explicit)

    def _give_up(self, event_writer: Any) -> None:
        """The constructor failed: leaves nothing behind."""
        self._closed = True
        REGISTRY.leave(self._ledger)
        ACCOUNTS.discard(self._ledger.key)
        event_writer.remove()

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
        with self._lock:
            ledger = self._ledger
            if self._closed:
                self._warn_if_event_writer_is_closed()
                self._count_dropped()
                return
            metadata = self._metadata
            placed = None
            if metadata.of_tag or (FIELD_KEY in serialized and carries_metadata(ours)):
                ledger.end.prepare()
                placed = metadata.settle(ours, ledger.account.generation)
            try:
                if FileWriter.add_summary is _STOCK_ADD_SUMMARY:
                    event.wall_time = time.time()
                    self.event_writer.add_event(event)
                else:
                    self._add_patched(ours, global_step)
            except BaseException:
                if placed:
                    metadata.take_back(placed)
                if self._news:
                    self._deliver(may_raise=False)
                raise
            ledger.summaries = adds = ledger.summaries + 1
            try:
                found = ledger.values.observe(ours, step, global_step)
                if len(ledger.values.tags) != self._tags_seen:
                    self._book_new_tags(ours)
                if adds <= _EVERY_ADD_UP_TO or not adds & (adds - 1):
                    self._look_at_graphs(adds)
            except Exception:  # noqa: BLE001 - ours, whatever it is: the event is on its way
                self._desk.internal("values")
                found = ()
        if found or self._news or not serialized:
            self._deliver(found, empty=not serialized)

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
        self._desk.tell(not_a_summary(summary))
        raise AssertionError("SW305 is an error and was raised")

    def _add_patched(self, ours: Any, global_step: Any) -> None:
        """Hands a copy to the tool that has replaced ``FileWriter.add_summary`` to see what is written."""
        copy = Summary()
        copy.CopyFrom(ours)
        self._seen_summary_tags.clear()  # the metadata to be kept has been settled already
        super().add_summary(copy, global_step)

    def _book_new_tags(self, summary: Any) -> None:
        tags = self._ledger.values.tags
        self._tags_seen = len(tags)
        for tag, times in Counter(value.tag for value in summary.value).items():
            if tags[tag].count <= times:
                ACCOUNTS.wrote(self._ledger.key, tag)
                self._news += self._ledger.first_write(tag)

    def _look_at_graphs(self, adds: int) -> None:
        if adds == 1:
            ACCOUNTS.attach(tf.compat.v1.get_default_graph(), self._ledger.key)
        for _, finding in ACCOUNTS.look(self._ledger.key, adds):
            self._news.append(finding)

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
        found: Iterable[Finding] = ()
        with self._lock:
            closed = self._closed
            super().add_event(event)
            if closed:
                self._count_dropped()
                return
            if event.HasField("summary"):
                with self._desk.guard("values"):
                    found = self._ledger.values.observe(event.summary, event.step)
                    self._book_new_tags(event.summary)
        self._deliver(found)

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
                ACCOUNTS.attach(graph, self._ledger.key, explicit=True)

    def _add_event(self, event: Any, step: Any) -> None:
        with self._lock:
            closed = self._closed
            super()._add_event(event, None if step is None else _whole(step))
        if closed:
            self._count_dropped()
        elif hasattr(self, "_finalizer"):  # not within the constructor, which delivers itself
            self._deliver()

    def _warn_if_event_writer_is_closed(self) -> None:
        if self._closed:
            place = users_place()
            warnings.warn_explicit(
                _CLOSED, UserWarning, place.filename, place.lineno, place.module, registry=place.registry
            )

    def _count_dropped(self) -> None:
        with self._lock:
            self._ledger.dropped += 1
        REGISTRY.owes(self._ledger)
        if self._desk.policy.strict:
            self._desk.tell_all(self._ledger.findings_after_close())

    def _deliver(self, found: Iterable[Finding] = (), *, empty: bool = False, may_raise: bool = True) -> None:
        """Tells what came up during a call, when the event is on its way and no lock is held."""
        news = list(found)
        if empty:
            news.append(empty_summary())
        if self._news:
            news += self._ledger.take_news()
        if news:
            self._desk.tell_all(news, may_raise=may_raise)

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
                self._news += self._ledger.look_on_flush()
            self._deliver()

    def close(self) -> None:
        """Flushes, syncs and closes the event file, and tells what there is to tell. A second call does nothing.

        Raises:
            SafeWriterError: Under ``strict``.
        """
        # Closed on the line that created it: a writer for the graph alone, to which nothing was to be added.
        self._close(may_raise=True, graph_only=str(users_place()) == self._desk.created_at)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the writer. While an exception leaves, nothing else is raised in its place."""
        # A run that broke off before its first summary has another trouble than its summaries.
        self._close(may_raise=error is None, graph_only=error is not None)

    def _close(self, *, may_raise: bool, graph_only: bool) -> None:
        ledger = self._ledger
        if self._closed:
            self.event_writer.close()
            self._desk.tell_all(ledger.findings_after_close(), may_raise=may_raise, again=True)
            return
        if ledger.pid != os.getpid():  # a forked child closes its parent's writer
            self.event_writer.close()
            self._closed = True
            return
        with self._desk.guard("graph accounting"):
            ACCOUNTS.attach(tf.compat.v1.get_default_graph(), ledger.key)
            self._news += [finding for _, finding in ACCOUNTS.look(ledger.key, ledger.summaries)]
        with self._desk.guard("directory"):
            self._news += ledger.look_at_end()

        def close() -> None:
            with self._lock:  # an add of another thread comes before, or finds the writer closed
                try:
                    self.event_writer.close()
                finally:
                    self._closed = True
                    ledger.flushed()

        REGISTRY.end_writer(ledger, close, may_raise=may_raise, graph_only=graph_only and not ledger.summaries)

    def reopen(self) -> None:
        """Goes on in a new event file after ``close``; nothing where the writer is open.

        Raises:
            SafeWriterError: The file can't be created (SW103, also the ``OSError`` that fits).
        """
        ledger = self._ledger
        try:
            self.event_writer.reopen()
        except OSError as error:
            if isinstance(self.event_writer, SafeEventFileWriter):
                raise _cannot_create(self.event_writer.log.directory, error) from error
            raise
        if self._closed:
            self._closed = ledger.closed = False
            ledger.pid = os.getpid()
            with self._desk.guard("graph accounting"):
                self._open_accounts()
            self._desk.tell_all(guarded(self._desk, "registry", lambda: REGISTRY.enter(ledger, shares=ledger.shares)))

    def get_logdir(self) -> str:
        """The log directory as it was passed, as ``str``."""
        return str(self.event_writer.get_logdir())

    def report(self) -> WriterReport:
        """What this writer has done so far: accepted, landed, lost, by tag, and what was told."""
        never: tuple[tuple[str, str], ...] = ()
        with self._desk.guard("graph accounting"):
            never = ACCOUNTS.never_written(self._ledger.key)
        with self._lock:
            return self._ledger.report(never)

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
            "directory "
            "instead, and create a writer where it is used."
        )


def _whole(step: Any) -> int:
    try:
        return int(step)
    except (TypeError, AttributeError):  # a variable of a graph fails with the latter
        hint = "; evaluate it first: `sess.run(global_step)`" if hasattr(step, "op") else ""
        raise TypeError(f"global_step must be a whole number, not {type(step).__name__}{hint}.") from None


def _where(logdir: Any, desk: Desk) -> tuple[str, str]:
    """The log directory as text, and where it is: an absolute path or a URL."""
    desk.tell_all(judge_given(logdir))
    text = os.fsdecode(logdir)
    if scheme_of(text):
        desk.tell_all(judge_scheme(text, frozenset(tf.io.gfile.get_registered_schemes())))
        return text, text
    desk.tell_all(guarded(desk, "log directory", lambda: judge_literal(text)))
    return text, os.path.abspath(text.removeprefix("file://"))


def _resolved(directory: str) -> str:
    return directory.rstrip("/") if scheme_of(directory) else os.path.realpath(directory)


def _cannot_create(directory: str, error: OSError) -> Exception:
    return error_for(judge_failure(directory, error, None if scheme_of(directory) else obstacle(directory)))


def _open_log(
    directory: str, suffix: str, max_queue: int, flush_secs: float, news: list[Finding], desk: Desk
) -> EventLog:
    remote = bool(scheme_of(directory))
    try:
        if remote:
            gfile.make_directories(directory)
        return EventLog(
            directory,
            suffix,
            tell=news.append,
            error=desk.error,
            open_file=gfile.GFile if remote else None,
            max_queue=max_queue,
            flush_secs=flush_secs,
        )
    except OSError as error:
        raise _cannot_create(directory, error) from error


def _open_session(
    session: Any,
    text: str,
    directory: str,
    max_queue: int,
    flush_secs: float,
    suffix: str,
    lock: Any,
    news: list[Finding],
) -> SafeSessionEventWriter:
    local = not scheme_of(directory)
    if local:
        _probe(directory)
    return SafeSessionEventWriter(
        session,
        text,
        directory if local else None,
        lock,
        news.append,
        max_queue=max_queue,
        flush_secs=flush_secs,
        filename_suffix=suffix,
    )


def _probe(directory: str) -> None:
    """Shows that an event file can be created, for a writer whose file TensorFlow creates and says nothing."""
    try:
        make_directories(directory)
        file = LocalFile(os.path.join(directory, new_name(".probe")))
        file.close()
        os.unlink(file.path)
    except OSError as error:
        raise _cannot_create(directory, error) from error


def _free_space(directory: str) -> list[Finding]:
    free = None if scheme_of(directory) else free_bytes(directory)
    return [] if free is None else judge_free_space(directory, free)


def _in_child(writer: weakref.ref[SafeFileWriter]) -> Any:
    """What a forked child does before its first event: its account begins anew."""

    def begin() -> None:
        alive = writer()
        if alive is not None:
            alive._begin_in_child()

    return begin

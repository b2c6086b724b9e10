"""How what is passed to a writer becomes an event that lands, and is booked and reported afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NoReturn

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.summary_pb2 import Summary

from safewriter.checks.distribution import shared_with_tensorflow
from safewriter.checks.graph import empty_summary, not_a_summary
from safewriter.eventfile.metadata import FIELD_KEY, PluginMetadata, carries_metadata
from safewriter.facts import stock
from safewriter.facts.graph import graph_view
from safewriter.findings import Desk, Finding, users_place
from safewriter.recording import scope
from safewriter.recording.ledger import Ledger

_EVERY_ADD_UP_TO = 16  # adds after which the graph is looked at; later, only when their number doubles
_CLOSED = (
    "Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is explicitly reopened."
)


def warn_of_closed() -> None:
    """The warning of TensorFlow's own ``FileWriter``, at the user's line."""
    place = users_place()
    warnings.warn_explicit(_CLOSED, UserWarning, place.filename, place.lineno, place.module, registry=place.registry)


def merge_into(ours: Any, summary: Any, desk: Desk) -> bytes:
    """Takes over a summary that is not plain bytes.

    Args:
        ours: An empty ``Summary`` message, which gets its contents.
        summary: Bytes of a subclass, or a message.
        desk: The writer's.

    Returns:
        It serialized.

    Raises:
        SafeWriterError: It is no summary (SW305).
    """
    if isinstance(summary, Summary):
        ours.CopyFrom(summary)
        return ours.SerializeToString()  # type: ignore[no-any-return]
    descriptor = getattr(summary, "DESCRIPTOR", None)
    if isinstance(summary, bytes):
        serialized = bytes(summary)
    elif getattr(descriptor, "name", None) == "Summary" and hasattr(summary, "SerializeToString"):
        serialized = summary.SerializeToString()  # another package's class of the same message
    else:
        refuse(summary, desk)
    try:
        ours.MergeFromString(serialized)
    except DecodeError:
        refuse(summary, desk)
    return serialized


def refuse(summary: Any, desk: Desk) -> NoReturn:
    """Raises SW305 for what is no summary."""
    desk.report(not_a_summary(summary))
    raise AssertionError("SW305 is an error and was raised")


def whole(step: Any) -> int:
    """A step as it is stored.

    Raises:
        TypeError: It is not a number. ``ValueError`` where it is an infinity or NaN.
    """
    try:
        return int(step)
    except (OverflowError, ValueError) as error:  # an infinity, NaN, or a text
        raise ValueError(f"global_step must be a whole number, not {step!r}.") from error
    except (TypeError, AttributeError):  # a variable of a graph fails with the latter
        hint = "; evaluate it first: `sess.run(global_step)`" if hasattr(step, "op") else ""
        raise TypeError(f"global_step must be a whole number, not {type(step).__name__}{hint}.") from None


class Adding:
    """One writer's adds: each takes its turn, lands and is booked; then its findings are reported.

    Graphs, and TensorFlow's own writers, are looked at beside. It never holds the writer: how an event is handed to
    TensorFlow's method comes with each call.

    Args:
        ledger: The writer's account.
        news: Findings from beneath the writer that have not been reported yet.
    """

    def __init__(self, ledger: Ledger, news: list[Finding]) -> None:
        self._ledger = ledger
        self._events = ledger.events
        self._turn = ledger.turn
        self._desk = ledger.desk
        self._news = news
        self._metadata = PluginMetadata()
        self._graphs_due = 0  # the add after which the graphs are to be looked at
        self._knows_stock = False  # that TensorFlow's own writer is on the directory
        self.begun = False  #: the writer is constructed; until then it delivers itself

    def add(self, event: Any, step: int, global_step: Any, serialized: bytes, land: Callable[[Any, Any], None]) -> None:
        """Adds the event of a summary.

        Args:
            event: The message.
            step: Its step.
            global_step: The step that was passed; None for none.
            serialized: The summary.
            land: Hands the event on; called with it and with the step that was passed.

        Raises:
            SafeWriterError: The write failed (SW502, also an ``OSError``).
        """
        turn = self._turn
        if turn.reentered():
            self._add_in_between(event, step, global_step, serialized, land)
            return
        try:
            with turn.lock:
                if self._events.closed:
                    warn_of_closed()
                    self._count_dropped()
                    return
                metadata = self._metadata
                if metadata.of_tag or (FIELD_KEY in serialized and carries_metadata(event.summary)):
                    self._land_with_metadata(event, global_step, land)
                else:
                    land(event, global_step)
                found = self._book(event.summary, step, global_step)
        except BaseException:
            self._deliver_beside()
            raise
        finally:
            if turn.words:
                turn.act()
        if found or self._news or self._graphs_due or not serialized:
            self.deliver(found, empty=not serialized)

    def _add_in_between(
        self, event: Any, step: int, global_step: Any, serialized: bytes, land: Callable[[Any, Any], None]
    ) -> None:
        """Adds in the middle of another call of this thread: the event lands now, the interrupted call books it."""
        if self._events.closed:
            self._turn.leave(self._count_dropped)
            return
        with self._desk.guard("metadata"):
            self._metadata.carry(event.summary)  # it may begin a newer file
        try:
            land(event, global_step)
        except BaseException:
            self._deliver_beside()
            raise

        def book() -> None:
            with self._turn.lock:
                found = self._book(event.summary, step, global_step)
            self.deliver(found, empty=not serialized, may_raise=False)

        self._turn.leave(book)

    def _book(self, summary: Any, step: int, global_step: Any) -> Sequence[Finding]:
        ledger = self._ledger
        ledger.summaries = adds = ledger.summaries + 1
        if adds <= _EVERY_ADD_UP_TO or not adds & (adds - 1):
            self._graphs_due = adds
        return ledger.book(summary, step, global_step)

    def _land_with_metadata(self, event: Any, global_step: Any, land: Callable[[Any, Any], None]) -> None:
        metadata = self._metadata
        self._events.prepare()
        placed: list[str] = []
        with self._desk.guard("metadata"):
            placed = metadata.settle(event.summary, self._events.backend.generation)
        try:
            land(event, global_step)
        except BaseException:
            metadata.take_back(placed)
            raise

    def add_plain(self, add: Callable[[], None], event: Any = None) -> None:
        """Adds an event that is not for ``add_summary``; one with a summary is judged all the same.

        Args:
            add: Hands it on.
            event: The message, where it is known.
        """
        closed, turn = self._events.closed, self._turn

        def book() -> None:
            if closed:
                self._count_dropped()
                return
            found: Sequence[Finding] = ()
            if event is not None and event.HasField("summary"):
                with turn.lock:
                    self._ledger.other_summaries += 1
                    found = self._ledger.book(event.summary, event.step)
            if self.begun:
                self.deliver(found)

        if turn.reentered():
            add()
            turn.leave(book)
            return
        turn.run(add)
        book()

    def _count_dropped(self) -> None:
        self._ledger.dropped += 1
        self._ledger.scope.owes(self._ledger)
        if self._desk.policy.strict:
            self._desk.report_all(self._ledger.findings_after_close())

    def _deliver_beside(self) -> None:
        """Reports the findings of a call that an exception leaves."""
        if self._news or self._desk.unsaid:
            self.deliver(may_raise=False)

    def deliver(self, found: Iterable[Finding] = (), *, empty: bool = False, may_raise: bool = True) -> None:
        """Reports the findings of a call, when its event has been written and no lock is held.

        Args:
            found: What the call itself found.
            empty: The summary had no values (SW306).
            may_raise: False while another exception leaves.

        Raises:
            SafeWriterError: Under ``strict``.
        """
        news = list(found)
        if self._graphs_due:
            self._look_at_graphs()
        if empty:
            news.append(empty_summary())
        self._desk.report_all(chain(news, self._ledger.take_news()), may_raise=may_raise)

    # What is looked at beside: graphs, and who else writes into the directory.

    def open(self, graph: Any = None) -> None:
        """The writer opens on a graph, or on the default one."""
        with self._desk.guard("graph accounting"):
            explicit = isinstance(graph, tf.Graph)
            view = graph_view(graph if explicit else tf.compat.v1.get_default_graph())
            self._ledger.scope.graphs.open(view, self._ledger.key, self._desk, explicit=explicit)

    def begin_in_child(self) -> None:
        """In a forked child the account begins anew, with the first event that the child writes."""
        self._ledger.begin_in_child()
        scope.current().enter(self._ledger, may_share=True)
        self.open()

    def attach(self, graph: Any) -> None:
        """A graph was stored through the writer."""
        with self._desk.guard("graph accounting"):
            self._ledger.scope.graphs.attach(graph_view(graph), self._ledger.key, explicit=True)

    def _look_at_graphs(self) -> None:
        """Looks for ops that were created between adds. Not during a turn: graphs have a lock for all writers."""
        ledger = self._ledger
        adds, self._graphs_due = self._graphs_due, 0
        with self._desk.guard("graph accounting"):
            if adds == 1:
                self._news += self.look_beside()
                ledger.scope.graphs.attach(graph_view(tf.compat.v1.get_default_graph()), ledger.key)
            self._news += ledger.scope.graphs.look(ledger.key, adds)

    def look_beside(self) -> list[Finding]:
        """SW204, where a writer of TensorFlow's own is open on the directory; it may have come later."""
        directory = self._ledger.directory
        cached = None if self._knows_stock else stock.beside(directory)
        if cached is None:
            return []
        self._knows_stock = True
        return [shared_with_tensorflow(directory, cached)]

    def look_around(self, *, at_end: bool = False) -> None:
        """Who writes beside us, and what was written before us; ``at_end`` for the last time, and the graphs too."""
        ledger = self._ledger
        if at_end:
            with self._desk.guard("graph accounting"):
                ledger.scope.graphs.attach(graph_view(tf.compat.v1.get_default_graph()), ledger.key)
                self._news += ledger.scope.graphs.look(ledger.key, ledger.summaries)
        ledger.look_around(at_end=at_end)
        with self._desk.guard("directory"):
            self._news += self.look_beside()

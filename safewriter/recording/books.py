"""What is booked of summaries that landed: their values, their tags, their graphs, and who writes beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from safewriter.checks.distribution import shared_with_tensorflow
from safewriter.facts import stock
from safewriter.facts.graph import graph_view
from safewriter.findings import Finding, is_a_handlers
from safewriter.recording import scope
from safewriter.recording.ledger import Ledger

_EVERY_ADD_UP_TO = 16  # adds after which the graph is looked at; later, only when their number doubles


class Books:
    """The books of one writer. What they find beside their answers is added to the writer's news.

    Args:
        ledger: The writer's account.
        news: Findings that have not been reported yet.

    Attributes:
        graphs_due: The add after which the graphs are to be looked at; 0 for none.
    """

    def __init__(self, ledger: Ledger, news: list[Finding]) -> None:
        self._ledger = ledger
        self._news = news
        self.graphs_due = 0
        self._knows_stock = False  # that TensorFlow's own writer is on the directory

    def open(self, graph: Any = None) -> None:
        """The writer opens on a graph, or on the default one."""
        with self._ledger.desk.guard("graph accounting"):
            explicit = isinstance(graph, tf.Graph)
            view = graph_view(graph if explicit else tf.compat.v1.get_default_graph())
            self._ledger.scope.graphs.open(view, self._ledger.key, self._ledger.desk, explicit=explicit)

    def begin_in_child(self) -> None:
        """In a forked child the account begins anew, with the first event that the child writes."""
        self._ledger.begin_in_child()
        scope.current().enter(self._ledger, may_share=True)
        self.open()

    def attach(self, graph: Any) -> None:
        """A graph was stored through the writer."""
        with self._ledger.desk.guard("graph accounting"):
            self._ledger.scope.graphs.attach(graph_view(graph), self._ledger.key, explicit=True)

    def book(self, summary: Any, step: int, global_step: Any) -> Sequence[Finding]:
        """Counts a summary that landed, and judges it.

        Args:
            summary: The message.
            step: The step that it was stored with.
            global_step: The step that was passed; None for none.
        """
        ledger = self._ledger
        ledger.summaries = adds = ledger.summaries + 1
        try:
            found = ledger.values.observe(summary, step, global_step)
            if len(ledger.values.tags) != ledger.tags_seen:
                self._book_new_tags(summary)
            if adds <= _EVERY_ADD_UP_TO or not adds & (adds - 1):
                self.graphs_due = adds
        except Exception as error:
            if is_a_handlers(error):
                raise
            ledger.desk.internal("values")  # ours, whatever it is: the event is on its way
            return ()
        return found

    def book_event(self, event: Any) -> Sequence[Finding]:
        """The same for an event that did not come by ``add_summary``."""
        found: Sequence[Finding] = ()
        ledger = self._ledger
        with ledger.turn.lock, ledger.desk.guard("values"):
            ledger.other_summaries += 1
            found = ledger.values.observe(event.summary, event.step)
            self._book_new_tags(event.summary)
        return found

    def _book_new_tags(self, summary: Any) -> None:
        ledger = self._ledger
        tags = ledger.values.tags
        ledger.tags_seen = len(tags)
        for tag, times in Counter(value.tag for value in summary.value).items():
            if tags[tag].count <= times:
                ledger.scope.graphs.wrote(ledger.key, tag)
                self._news += ledger.first_write(tag)

    def look_at_graphs(self) -> None:
        """Looks for ops that were created between adds. Not during a turn: graphs have a lock for all writers."""
        ledger = self._ledger
        adds, self.graphs_due = self.graphs_due, 0
        with ledger.desk.guard("graph accounting"):
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

    def look_on_flush(self) -> None:
        """Who writes beside us, and what was written before us, as far as it is known now."""
        with self._ledger.desk.guard("directory"):
            self._news += self._ledger.look_on_flush() + self.look_beside()

    def look_at_end(self) -> None:
        """The same for the last time, and the graphs too."""
        ledger = self._ledger
        with ledger.desk.guard("graph accounting"):
            ledger.scope.graphs.attach(graph_view(tf.compat.v1.get_default_graph()), ledger.key)
            self._news += ledger.scope.graphs.look(ledger.key, ledger.summaries)
        with ledger.desk.guard("directory"):
            self._news += ledger.look_at_end() + self.look_beside()

"""Every summary op is accounted for: which graph has it, which writer wrote it, and what is left at the end.

A graph may have several writers and a writer several graphs, and any line of a program may still write what the lines
before it did not. So graphs are judged when the program ends.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safewriter.checks.graph import GrowthJudge, judge_graph, unwritten
from safewriter.checks.summary_ops import GraphFacts
from safewriter.findings import Desk, Finding
from safewriter.system.ending import interactive

if TYPE_CHECKING:
    from safewriter.facts.graph import GraphView

_PATIENCE = 0.5  # seconds


@dataclass(eq=False)
class _Graph:
    """What is kept of one graph: a view of it only while a writer on it is open, afterwards plain strings."""

    number: int
    facts: GraphFacts
    generation: int  #: of the process that had the first writer on it: a fork counts up
    view: GraphView | None = None
    version: int = -1  #: of the graph when the facts were gathered
    written: set[str] = field(default_factory=set)  #: tags from its closed writers, for which it has an op
    reported: set[str] = field(default_factory=set)  #: names of the ops that a finding named
    adds: int = 0  #: by its closed writers
    desk: Desk | None = None  #: of its last writer
    broken: int = 0  #: writers up to this number do not speak for it: an exception left the block of one of them
    first: int = -1  #: the ops it had when its first summary was added
    seen: int = -1  #: the ops it had at the last look for growth
    growth: GrowthJudge | None = None

    def refresh(self) -> GraphFacts:
        """The facts as of now; those of its last writer's close where none is open."""
        view = self.view
        if view is not None:
            version = view.version()
            if version != self.version:
                self.facts = view.facts(self.facts)
                self.version = version
        return self.facts

    def changed(self) -> bool:
        """Whether it has gained ops since the last look."""
        view = self.view
        return view is not None and view.version() != self.seen

    def grew(self, adds: int) -> Finding | None:
        """SW304, where the summary ops created since the last look are a loop's."""
        view = self.view
        if view is None:
            return None
        if self.first < 0:
            self.first = self.seen = view.version()
            return None
        created, self.seen = view.ops_since(self.seen)
        if not created:
            return None
        if self.growth is None:
            before = (op for op in view.ops_since(0)[0] if op.order < self.first)
            self.growth = GrowthJudge(before, self.facts.label)
        return self.growth.look(adds, created)


@dataclass(eq=False)
class _Writer:
    desk: Desk
    number: int  #: writers are numbered as they open
    graphs: dict[_Graph, bool] = field(default_factory=dict)  #: each with whether it was passed to the writer
    tags: set[str] = field(default_factory=set)
    booked: int = 0  #: of its adds, those that were counted when it was closed before


class Graphs:
    """The graphs that writers were opened on, and what was written of each.

    A tag counts as written for a graph when a writer of this graph wrote it, or a writer none of whose own
    graphs has an op for it, or a writer of TensorFlow's own. Writers are named by a key of the caller's.

    Safe to call from several threads, from finalizers, and from signal handlers in the middle of any call. A forked
    child starts anew and never judges graphs that its parent had writers on: it can't know what the parent wrote.

    Args:
        stock_tags: Returns the tags that TensorFlow's own writers wrote. It may be slow: it is asked only where
            something seems not to be written.
    """

    def __init__(self, stock_tags: Callable[[], set[str]] = set) -> None:
        self._stock_tags = stock_tags
        self._lock = threading.RLock()
        self._generation = 0
        self._known: weakref.WeakKeyDictionary[Any, _Graph] = weakref.WeakKeyDictionary()
        self._left: dict[_Graph, None] = {}  #: no writer is open, and something was not written
        self._writers: dict[Hashable, _Writer] = {}
        self._closed: dict[Hashable, _Writer] = {}  #: until they are forgotten: one may be reopened, or report
        self._loose: set[str] = set()  #: tags of closed writers for which none of their graphs has an op
        self._lines: set[tuple[str, str | None]] = set()  #: where the ops that were written are defined, and their tags
        self._graphs = 0
        self._opened = 0

    def open(self, view: GraphView | None, key: Hashable, desk: Desk, *, explicit: bool) -> None:
        """A writer was created, or reopened.

        Args:
            view: Of the graph that was passed to the writer, or else of the default graph at its creation. None for
                what is no graph that sessions run.
            key: The writer.
            desk: Where findings about the graph are reported if this is its last writer.
            explicit: The graph was passed to the writer.
        """
        with self._held():
            before = self._closed.pop(key, None)
            self._opened += 1
            writer = _Writer(desk, self._opened, booked=before.booked if before else 0)
            self._bind(self._writers.setdefault(key, writer), view, explicit)

    def attach(self, view: GraphView | None, key: Hashable, *, explicit: bool = False) -> None:
        """A writer was used while this graph was the default one; or was given it later, by ``add_graph``.

        A writer that was given a graph is not bound to others by what happens to be the default.
        """
        with self._held():
            writer = self._writers.get(key)
            if writer is not None and (explicit or not any(tuple(writer.graphs.values()))):
                self._bind(writer, view, explicit)

    def wrote(self, key: Hashable, tag: str) -> None:
        """A writer wrote a tag; to be called once for each of its tags, and during its turn: it must not wait."""
        writer = self._writers.get(key)
        if writer is not None:
            writer.tags.add(tag)

    def look(self, key: Hashable, adds: int) -> list[Finding]:
        """Looks for summary ops that were created between adds (SW304); cheap where the graph did not change.

        Args:
            key: The writer to which a summary is being added.
            adds: How many were added to it so far, this one included.
        """
        writer = self._writers.get(key)
        changed = [graph for graph in tuple(writer.graphs) if graph.changed()] if writer is not None else []
        if not changed:
            return []
        with self._held():
            found = [graph.grew(adds) for graph in changed]
        return [finding for finding in found if finding is not None]

    def close(
        self, key: Hashable, adds: int, *, broken_off: bool = False, at_creation_line: bool = False
    ) -> list[Finding]:
        """A writer was closed. What its graphs lack is said at the end of the program: later lines may write it.

        Only a session at a prompt has no end that anyone sees: there a graph is judged when its last open writer is
        closed and nothing of it was written.

        Args:
            key: The writer.
            adds: How many ``add_summary`` calls it accepted, also before it was reopened.
            broken_off: An exception leaves the block that the writer was open for. Its graphs are not judged,
                unless a later writer of theirs ends normally.
            at_creation_line: It was closed on the line that created it, as a writer for the graph alone is.
        """
        with self._held():
            writer = self._writers.get(key)
            if writer is None:
                return []
            graphs = tuple(writer.graphs)
            self._settle(writer)
            self._closed[key] = _Writer(writer.desk, writer.number, writer.graphs, booked=adds)
            if self._writers.pop(key, None) is None:  # a signal handler closed it meanwhile
                return []
            found = []
            for graph in graphs:
                graph.adds += adds - writer.booked
                graph.desk = writer.desk
                if broken_off:
                    graph.broken = self._opened
                elif writer.number > graph.broken:
                    graph.broken = 0
                if self._open_writers(graph):
                    continue
                meant = not adds or writer.graphs[graph]  # not busy with something else
                silent = broken_off or at_creation_line or graph.broken
                if interactive() and meant and not silent and not graph.refresh().landed(self._written(graph)):
                    found += self._judge(graph, graph.adds)
                ours = self._loose | graph.written  # without tags written since, which are looked up at the end
                if graph.generation == self._generation and unwritten(graph.facts, ours):
                    self._left[graph] = None
                else:
                    self._left.pop(graph, None)
                graph.view = None
            return found

    def finish(self, adds: Mapping[Hashable, int], *, broken_off: bool) -> list[tuple[Desk, Finding]]:
        """The program ends, or a test does: judges every graph.

        Args:
            adds: For each writer still open, how many ``add_summary`` calls it accepted.
            broken_off: By an exception, say. Then nothing is judged: what is missing is a consequence.

        Returns:
            Each finding with the desk of the graph's last writer.
        """
        if broken_off:
            return []
        with self._held():
            found = []
            graphs = {graph for writer in tuple(self._writers.values()) for graph in tuple(writer.graphs)}
            for graph in sorted(graphs.union(tuple(self._left)), key=lambda graph: graph.number):
                writers = self._open_writers(graph)
                late = 0
                for key, writer in writers.items():
                    graph.desk = writer.desk
                    late += adds.get(key, writer.booked) - writer.booked
                if not graph.broken or any(writer.number > graph.broken for writer in writers.values()):
                    desk = graph.desk
                    if desk is not None:
                        found += [(desk, finding) for finding in self._judge(graph, graph.adds + late)]
            return found

    def never_written(self, key: Hashable) -> tuple[tuple[str, str], ...]:
        """The summary ops of a writer's graphs which no writer wrote so far: the tag and ``file:line`` of each."""
        with self._held():
            owner = self._writers.get(key) or self._closed.get(key)
            graphs = tuple(owner.graphs) if owner is not None else ()
            return tuple(
                (str(op.tag), op.place)
                for graph in graphs
                if graph.generation == self._generation
                for op in unwritten(graph.refresh(), self._written(graph))
            )

    def discard(self, key: Hashable) -> None:
        """The writer never came to be: its constructor failed."""
        with self._held():
            writer = self._writers.pop(key, None)
            for graph in tuple(writer.graphs) if writer is not None else ():
                if not self._open_writers(graph):
                    graph.view = None

    def forget(self, key: Hashable) -> None:
        """A closed writer is gone: nobody will ask for its report."""
        with self._held():
            self._closed.pop(key, None)

    def after_fork(self) -> None:
        """Starts anew, in a forked child."""
        self._lock = threading.RLock()  # another thread of the parent may have held it
        self._generation += 1
        self._writers = {}
        self._closed = {}
        self._left = {}
        for graph in list(self._known.values()):
            graph.view = None

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Holds the lock, but never waits for it for ever.

        The thread that has it may wait for a lock of TensorFlow's, which a call has that our caller, a signal handler,
        interrupted. Every method gets along with another in the middle of it.
        """
        held = self._lock.acquire(timeout=_PATIENCE)
        try:
            yield
        finally:
            if held:
                self._lock.release()

    def _bind(self, writer: _Writer, view: GraphView | None, explicit: bool) -> None:
        if view is None:
            return
        graph = self._known.get(view.graph)
        if graph is None:
            self._graphs += 1
            facts = GraphFacts(label=f"graph {self._graphs}")
            graph = self._known.setdefault(view.graph, _Graph(self._graphs, facts, self._generation))
        if graph.view is None:
            graph.view = view
        writer.graphs[graph] = explicit or writer.graphs.get(graph, False)

    def _open_writers(self, graph: _Graph) -> dict[Hashable, _Writer]:
        return {key: writer for key, writer in tuple(self._writers.items()) if graph in writer.graphs}

    def _settle(self, writer: _Writer) -> None:
        """Books the tags of a writer that is being closed; it does no harm to do so twice."""
        loose = set(writer.tags)
        for graph in tuple(writer.graphs):
            mine = writer.tags & graph.refresh().landing
            graph.written |= mine
            loose -= mine
            self._lines.update((op.place, op.tag) for op in graph.facts.ops if not mine.isdisjoint(op.landing_tags()))
        self._loose |= loose

    def _written(self, graph: _Graph) -> set[str]:
        """The tags that count as written for a graph, those of open writers too."""
        tags = self._loose | graph.written
        for writer in tuple(self._writers.values()):
            if graph in writer.graphs:
                tags |= writer.tags
            else:
                tags |= writer.tags.difference(*(other.refresh().landing for other in tuple(writer.graphs)))
        facts = graph.refresh()
        if not unwritten(facts, tags):
            return tags
        if any(not merge.place for merge in facts.merges):
            # TensorFlow's own training loop built it, as an Estimator does for an evaluation: the lines that define its
            # ops are those of the training graph, and it writes its metrics by hand.
            tags = tags.union(*(op.landing_tags() for op in facts.ops if (op.place, op.tag) in self._lines))
        return tags | self._stock_tags()

    def _judge(self, graph: _Graph, adds: int) -> list[Finding]:
        if graph.generation != self._generation:
            return []
        findings = judge_graph(graph.refresh(), self._written(graph), adds, reported=graph.reported)
        graph.reported.update(op["name"] for finding in findings for op in finding.data["ops"])
        return findings

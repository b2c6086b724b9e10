"""Every summary op is accounted for: which graph has it, which writer wrote it, and what is left at the end.

Process-wide, because a graph may have several writers and a writer several graphs: a graph is judged when
the last of its open writers is closed, and once more for what is left when the program ends.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Hashable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from safewriter.checks.graph import GraphFacts, GrowthJudge, judge_graph, unwritten
from safewriter.facts.graph import (
    graph_facts,
    graph_version,
    is_graph,
    summary_ops_since,
    tags_of_tensorflows_writers,
)
from safewriter.findings import CAPTURES, Desk, Finding


@dataclass(eq=False)
class _Graph:
    """What is kept of one graph: itself only while a writer on it is open, afterwards plain strings."""

    label: str
    alive: weakref.ref[Any]
    graph: Any = None  #: while a writer on it is open
    facts: GraphFacts = field(default_factory=GraphFacts)
    version: int = -1  #: of the graph when the facts were gathered
    written: set[str] = field(default_factory=set)  #: tags from its closed writers, for which it has an op
    told: set[str] = field(default_factory=set)  #: names of the ops that a finding named
    adds: int = 0  #: by its closed writers
    desk: Desk | None = None  #: of its last writer
    tentative: bool = True  #: no closed writer was surely meant for it
    inherited: bool = False  #: it was the parent's when this process was forked
    first: int = -1  #: the ops it had when its first summary was added
    seen: int = -1  #: the ops it had at the last look for growth
    growth: GrowthJudge | None = None
    since: int = 0  #: what writers with a smaller number wrote belongs to another test; see ``capture_findings``

    def refresh(self) -> GraphFacts:
        """The facts as of now; those of its last writer's close where none is open."""
        if self.graph is not None:
            version = graph_version(self.graph)
            if version != self.version:
                self.facts = graph_facts(self.graph, self.label, self.facts)
                self.version = version
        return self.facts

    def grew(self, adds: int) -> Finding | None:
        """SW304, where the summary ops created since the last look are a loop's."""
        if self.graph is None:
            return None
        if self.first < 0:
            self.first = self.seen = graph_version(self.graph)
            return None
        created, self.seen = summary_ops_since(self.graph, self.seen)
        if not created:
            return None
        if self.growth is None:
            all_ops, _ = summary_ops_since(self.graph, 0)
            self.growth = GrowthJudge((op for op in all_ops if op.order < self.first), self.label)
        return self.growth.look(adds, created)


@dataclass(eq=False)
class _Writer:
    desk: Desk
    graphs: dict[_Graph, bool] = field(default_factory=dict)  #: each with whether it was passed to the writer
    tags: set[str] = field(default_factory=set)
    booked: int = 0  #: of its adds, those that were counted when it was closed before


@dataclass(frozen=True)
class _Closed:
    """What is kept of a closed writer until it is forgotten: it may be reopened, and asked for a report."""

    graphs: tuple[_Graph, ...]
    adds: int


class GraphAccounts:
    """The graphs that writers were opened on, and what was written of each.

    A tag counts as written for a graph when a writer of this graph wrote it, or a writer none of whose own
    graphs has an op for it, or a writer of TensorFlow's own hooks. Writers are named by a key of the caller's.

    Safe to call from several threads, and from finalizers. A forked child starts anew and never judges graphs
    that its parent had writers on: it can't know what the parent wrote.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._graphs: list[_Graph] = []
        self._by_graph: weakref.WeakKeyDictionary[Any, _Graph] = weakref.WeakKeyDictionary()
        self._writers: dict[Hashable, _Writer] = {}
        self._closed: dict[Hashable, _Closed] = {}
        # Tags of closed writers for which none of their graphs has an op, with the number of the newest such desk.
        self._loose: dict[str, int] = {}
        self._count = 0

    def open(self, graph: object, key: Hashable, desk: Desk, *, explicit: bool) -> None:
        """A writer was created, or reopened.

        Args:
            graph: Passed to the writer, or else the default graph at its creation. What is no graph is left out,
                and so is the graph of a function.
            key: The writer.
            desk: Where findings about the graph are told if this is its last writer.
            explicit: The graph was passed to the writer.
        """
        with self._lock:
            before = self._closed.pop(key, None)
            writer = self._writers.setdefault(key, _Writer(desk, booked=before.adds if before else 0))
            self._bind(writer, graph, explicit)

    def attach(self, graph: object, key: Hashable, *, explicit: bool = False) -> None:
        """A writer was used while this graph was the default one; or was given it later, by ``add_graph``.

        A writer that was given a graph is not bound to others by what happens to be the default.
        """
        with self._lock:
            writer = self._writers.get(key)
            if writer is not None and (explicit or not any(writer.graphs.values())):
                self._bind(writer, graph, explicit)

    def wrote(self, key: Hashable, tag: str) -> None:
        """A writer wrote a tag; to be called once for each of its tags."""
        with self._lock:
            writer = self._writers.get(key)
            if writer is not None:
                writer.tags.add(tag)

    def look(self, key: Hashable, adds: int) -> list[tuple[Desk, Finding]]:
        """Looks for summary ops that were created between adds (SW304); cheap where the graph did not change.

        Args:
            key: The writer to which a summary is being added.
            adds: How many were added to it so far, this one included.
        """
        writer = self._writers.get(key)
        if writer is None:
            return []
        changed = [each for each in list(writer.graphs) if each.graph is None or each.seen != graph_version(each.graph)]
        if not changed:
            return []
        with self._lock:
            found = [each.grew(adds) for each in changed]
        return [(writer.desk, finding) for finding in found if finding is not None]

    def close(self, key: Hashable, adds: int, *, graph_only: bool = False) -> list[tuple[Desk, Finding]]:
        """A writer was closed: judges each of its graphs that has no other open writer.

        Args:
            key: The writer.
            adds: How many ``add_summary`` calls it accepted, also before it was reopened.
            graph_only: It was plainly opened to store the graph alone (closed where it was created, say):
                what no writer wrote is told at the end then, for others may come.
        """
        with self._lock:
            writer = self._writers.pop(key, None)
            if writer is None:
                return []
            graphs = tuple(writer.graphs)
            self._closed[key] = _Closed(graphs, adds)
            self._settle(writer)
            findings: list[tuple[Desk, Finding]] = []
            for graph in graphs:
                graph.adds += adds - writer.booked
                graph.desk = writer.desk
                # Not given the graph, and busy with something else: it may have nothing to do with it.
                stranger = not writer.graphs[graph] and (adds > 0 or graph is not graphs[0])
                graph.tentative = graph.tentative and (graph_only or stranger)
                if not self._open_writers(graph):
                    findings += self._judge(graph, graph.adds, final=False)
                    graph.graph = None
            return findings

    def finish(self, adds: Mapping[Hashable, int] | None = None, *, since: int = 0) -> list[tuple[Desk, Finding]]:
        """The program ends, or a test does: judges what is left of every graph.

        Args:
            adds: For each writer still open, how many ``add_summary`` calls it accepted.
            since: Only graphs whose last writer's desk has a greater number.
        """
        counts = adds or {}
        with self._lock:
            findings: list[tuple[Desk, Finding]] = []
            for graph in list(self._graphs):
                keys = self._open_writers(graph)
                if keys:
                    graph.desk = self._writers[keys[-1]].desk
                if graph.desk is None or graph.desk.number <= since:
                    continue
                late = sum(counts[key] - self._writers[key].booked for key in keys if key in counts)
                findings += self._judge(graph, graph.adds + late, final=True)
            return findings

    def never_written(self, key: Hashable) -> tuple[tuple[str, str], ...]:
        """The summary ops of a writer's graphs which no writer wrote so far: the tag and ``file:line`` of each."""
        with self._lock:
            writer = self._writers.get(key)
            closed = self._closed.get(key)
            graphs = tuple(writer.graphs) if writer is not None else closed.graphs if closed is not None else ()
            return tuple(
                (str(op.tag), op.place)
                for graph in graphs
                if not graph.inherited
                for op in unwritten(graph.refresh(), self._written(graph))
            )

    def discard(self, key: Hashable) -> None:
        """The writer never came to be: its constructor failed."""
        with self._lock:
            self._writers.pop(key, None)

    def forget(self, key: Hashable) -> None:
        """A closed writer is gone: nobody will ask for its report."""
        with self._lock:
            self._closed.pop(key, None)

    def after_fork(self) -> None:
        """Starts anew, in a forked child."""
        self._lock = threading.RLock()  # another thread of the parent may have held it
        self._writers = {}
        self._closed = {}
        for graph in self._graphs:
            graph.inherited = True
            graph.graph = None

    def _bind(self, writer: _Writer, graph: object, explicit: bool) -> None:
        if not is_graph(graph):
            return
        record = self._by_graph.get(graph)
        if record is None:
            self._sweep()
            self._count += 1
            record = self._by_graph[graph] = _Graph(f"graph {self._count}", weakref.ref(graph), since=CAPTURES.since)
            self._graphs.append(record)
        record.graph = graph
        writer.graphs[record] = explicit or writer.graphs.get(record, False)

    def _sweep(self) -> None:
        """Drops graphs that are gone and have nothing left to tell, so that a search over thousands stays small."""
        self._graphs = [each for each in self._graphs if each.alive() is not None or self._undecided(each)]

    def _undecided(self, graph: _Graph) -> bool:
        return not graph.inherited and any(
            op.name not in graph.told for op in unwritten(graph.facts, self._written(graph))
        )

    def _open_writers(self, graph: _Graph) -> list[Hashable]:
        return [key for key, writer in list(self._writers.items()) if graph in writer.graphs]

    def _settle(self, writer: _Writer) -> None:
        """Books the tags of a writer that was closed."""
        owned: set[str] = set()
        for graph in writer.graphs:
            mine = writer.tags & graph.refresh().landing
            graph.written |= mine
            owned |= mine
        self._book_loose(writer.tags - owned, writer.desk.number)

    def _book_loose(self, tags: AbstractSet[str], number: int) -> None:
        for tag in tags:
            self._loose[tag] = max(number, self._loose.get(tag, 0))

    def _written(self, graph: _Graph) -> set[str]:
        """The tags that count as written for a graph, those of open writers too."""
        newest = max((writer.desk.number for writer in list(self._writers.values())), default=graph.since + 1)
        self._book_loose(tags_of_tensorflows_writers(), newest)  # kept: a program may clear their cache
        tags = {tag for tag, number in self._loose.items() if number > graph.since} | graph.written
        for writer in list(self._writers.values()):
            if graph in writer.graphs:
                tags |= writer.tags
            else:
                tags |= writer.tags.difference(*(other.refresh().landing for other in list(writer.graphs)))
        return tags

    def _judge(self, graph: _Graph, adds: int, *, final: bool) -> list[tuple[Desk, Finding]]:
        desk = graph.desk
        if graph.inherited or desk is None:
            return []
        findings = judge_graph(
            graph.refresh(), self._written(graph), adds, final=final, told=graph.told, tentative=graph.tentative
        )
        graph.told.update(op["name"] for finding in findings for op in finding.data["ops"])
        return [(desk, finding) for finding in findings]


#: The accounts of this process.
ACCOUNTS = GraphAccounts()

if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=ACCOUNTS.after_fork)

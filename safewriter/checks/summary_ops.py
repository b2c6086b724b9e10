"""What the judges of SW301 to SW304 are given: the summary ops and merge ops of one graph, as plain facts."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

#: The collection that ``merge_all()`` merges: ``tf.compat.v1.GraphKeys.SUMMARIES``.
DEFAULT_COLLECTION = "summaries"


@dataclass(frozen=True)
class SummaryOp:
    """A summary op of a graph.

    Attributes:
        name: The op's name, unique in its graph.
        tag: What it is written under; None where that is known only when it runs.
        kind: ``scalar``, ``histogram``, ``image``, ``audio``, ``text`` or ``tensor``.
        place: ``file:line`` of the user's line that defined it; empty where no line of this program did:
            it was imported with a graph, or TensorFlow made it for itself.
        collections: The graph's collections that hold it.
        merged_by: Names of the merge ops that hold it, directly or through another merge.
        order: Its place among the ops of the graph, in order of creation.
        conditional: It is inside a branch or a loop of the graph and may never run in a correct program.
        renumbered: TensorFlow put a number into its name because the name that was asked for was taken.
    """

    name: str
    tag: str | None
    kind: str = "scalar"
    place: str = ""
    collections: tuple[str, ...] = (DEFAULT_COLLECTION,)
    merged_by: tuple[str, ...] = ()
    order: int = 0
    conditional: bool = False
    renumbered: bool = False

    @property
    def accountable(self) -> bool:
        """Whether its absence can be held against the program."""
        return self.tag is not None and bool(self.place)

    def landing_tags(self) -> tuple[str, ...]:
        """The tags that show that it was written.

        Images and audio are written as ``tag/image``, or ``tag/image/0`` and on for a batch.
        """
        if self.tag is None:
            return ()
        if self.kind in ("image", "audio"):
            return (f"{self.tag}/{self.kind}", f"{self.tag}/{self.kind}/0")
        return (self.tag,)

    def as_dict(self) -> dict[str, str | None]:
        """The op in values that JSON can hold."""
        return {"name": self.name, "tag": self.tag, "kind": self.kind, "place": self.place}


@dataclass(frozen=True)
class MergeOp:
    """A ``MergeSummary`` op.

    Attributes:
        name: The op's name.
        place: ``file:line`` of the user's line that built it; empty where TensorFlow did (a ``Scaffold`` does).
        order: Its place among the ops of the graph, in order of creation.
        holds: Names of the summary ops that it holds, directly or through another merge.
        variable: What the user's line called it, such as ``merged`` or ``self.summaries``; empty where not known.
    """

    name: str
    place: str = ""
    order: int = 0
    holds: tuple[str, ...] = ()
    variable: str = ""


@dataclass(frozen=True)
class GraphFacts:
    """What is known of the summary ops of one graph at one moment.

    Attributes:
        ops: Its summary ops in order of creation.
        merges: Its merge ops in order of creation.
        label: Distinguishes this graph from the others of the process; it stands in the subjects of findings.
    """

    ops: tuple[SummaryOp, ...] = ()
    merges: tuple[MergeOp, ...] = ()
    label: str = "graph"

    @cached_property
    def landing(self) -> frozenset[str]:
        """Every tag under which an op of this graph can land."""
        return frozenset(tag for op in self.ops for tag in op.landing_tags())

    def landed(self, written: AbstractSet[str]) -> frozenset[str]:
        """Names of the ops that landed, where these tags were written."""
        return frozenset(op.name for op in self.ops if any(tag in written for tag in op.landing_tags()))


@dataclass(frozen=True)
class Outcome:
    """A graph at the end: which of its ops landed, in how many ``add_summary`` calls."""

    facts: GraphFacts
    landed: frozenset[str]
    adds: int

    @cached_property
    def merges(self) -> tuple[MergeOp, ...]:
        """The merges that the program built; TensorFlow's own count only where they may explain everything."""
        by_user = tuple(merge for merge in self.facts.merges if merge.place)
        return by_user if by_user or self.landed else self.facts.merges

    @cached_property
    def collections(self) -> dict[str, set[str]]:
        """By merge: the collections of the ops that it holds, with an empty name where one of them is in none."""
        of_op = {op.name: op.collections or ("",) for op in self.facts.ops}
        return {
            merge.name: {collection for name in merge.holds for collection in of_op.get(name, ())}
            for merge in self.merges
        }

    def holders(self, op: SummaryOp) -> list[MergeOp]:
        """The merges that hold an op."""
        return [merge for merge in self.merges if merge.name in op.merged_by]

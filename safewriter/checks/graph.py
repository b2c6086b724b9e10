"""The judges of SW301 to SW304: summary ops that a graph has and no writer got.

Plain facts of one graph go in (``safewriter.facts.graph`` gathers them), findings come out.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from safewriter.findings import Finding

#: The collection that ``merge_all()`` merges: ``tf.compat.v1.GraphKeys.SUMMARIES``.
DEFAULT_COLLECTION = "summaries"
NAMED = 10  #: so many ops a message names; the data of the finding holds all of them


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
        conditional: It is inside a branch or a loop of the graph and may rightly never run.
    """

    name: str
    tag: str | None
    kind: str = "scalar"
    place: str = ""
    collections: tuple[str, ...] = (DEFAULT_COLLECTION,)
    merged_by: tuple[str, ...] = ()
    order: int = 0
    conditional: bool = False

    @property
    def accountable(self) -> bool:
        """Whether its absence can be held against the program."""
        return self.tag is not None and bool(self.place)

    def landing_tags(self) -> tuple[str, ...]:
        """The tags that tell that it was written.

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
    """

    name: str
    place: str = ""
    order: int = 0
    holds: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphFacts:
    """What is known of the summary ops of one graph at one moment.

    Attributes:
        ops: Its summary ops in order of creation.
        merges: Its merge ops in order of creation.
        label: Tells this graph from the others of the process; it stands in the subjects of findings.
    """

    ops: tuple[SummaryOp, ...] = ()
    merges: tuple[MergeOp, ...] = ()
    label: str = "graph"

    @cached_property
    def landing(self) -> frozenset[str]:
        """Every tag under which an op of this graph can land."""
        return frozenset(tag for op in self.ops for tag in op.landing_tags())


class _Cause(enum.Enum):
    """Why an op never reached a writer; each has its wording."""

    NEVER_MERGED = "never-merged"
    NEVER_WRITTEN = "never-written"
    AFTER_THE_MERGE = "after-the-merge"
    OTHER_COLLECTION = "other-collection"
    LEFT_OUT = "left-out"
    NO_MERGE = "no-merge"


def unwritten(facts: GraphFacts, written: AbstractSet[str]) -> list[SummaryOp]:
    """The ops of a graph that were never written and whose absence can be held against the program."""
    landed = _landed(facts, written)
    return [op for op in facts.ops if op.accountable and op.name not in landed and not (op.conditional and landed)]


def judge_graph(
    facts: GraphFacts,
    written: AbstractSet[str],
    adds: int,
    *,
    final: bool,
    told: Collection[str] = (),
    tentative: bool = False,
) -> list[Finding]:
    """Names each op that never landed in exactly one finding, with its cause.

    Args:
        facts: The graph.
        written: The tags that were written for it.
        adds: How many ``add_summary`` calls its writers accepted.
        final: The program ends. Otherwise the last open writer of the graph was closed, and nothing is said yet
            of ops that a correct program may still write through a later writer.
        told: Names of the ops that an earlier finding named.
        tentative: Whether the writers at hand may have nothing to do with this graph:
            then nothing of it is told before the end, unless something of it was written.
    """
    view = _View(facts, _landed(facts, written), adds)
    if tentative and not final and not view.landed:
        return []
    causes: dict[_Cause, list[SummaryOp]] = {}
    for op in unwritten(facts, written):
        if op.name in told:
            continue
        cause = view.cause(op)
        if final or not view.may_still_come(op, cause):
            causes.setdefault(cause, []).append(op)
    return [_finding(view, cause, ops) for cause, ops in causes.items()]


def _landed(facts: GraphFacts, written: AbstractSet[str]) -> frozenset[str]:
    return frozenset(op.name for op in facts.ops if any(tag in written for tag in op.landing_tags()))


@dataclass(frozen=True)
class _View:
    """A graph, and which of its ops landed."""

    facts: GraphFacts
    landed: frozenset[str]
    adds: int

    @cached_property
    def merges(self) -> tuple[MergeOp, ...]:
        """The merges that the program built; TensorFlow's own count only where they may explain everything."""
        by_user = tuple(merge for merge in self.facts.merges if merge.place)
        return by_user if by_user or self.landed else self.facts.merges

    @cached_property
    def _by_name(self) -> dict[str, SummaryOp]:
        return {op.name: op for op in self.facts.ops}

    def holders(self, op: SummaryOp) -> list[MergeOp]:
        return [merge for merge in self.merges if merge.name in op.merged_by]

    def cause(self, op: SummaryOp) -> _Cause:
        if self.holders(op):
            return _Cause.NEVER_WRITTEN
        if not self.landed:
            return _Cause.NEVER_MERGED
        if not self.merges:
            return _Cause.NO_MERGE
        akin = [merge for merge in self.merges if self._share_a_collection(op, merge)]
        if not akin:
            return _Cause.OTHER_COLLECTION
        return _Cause.AFTER_THE_MERGE if all(each.order < op.order for each in akin) else _Cause.LEFT_OUT

    def _share_a_collection(self, op: SummaryOp, merge: MergeOp) -> bool:
        held = [self._by_name[name] for name in merge.holds if name in self._by_name]
        if not op.collections:
            return any(not other.collections for other in held)
        return any(set(op.collections) & set(other.collections) for other in held)

    def may_still_come(self, op: SummaryOp, cause: _Cause) -> bool:
        """Whether a later writer of a correct program may still write it."""
        if cause in (_Cause.LEFT_OUT, _Cause.NO_MERGE):  # it can be run by itself
            return True
        if cause is _Cause.OTHER_COLLECTION:  # collections=[] is how one keeps an op to run by itself
            return not op.collections
        if cause is _Cause.NEVER_WRITTEN and self.landed:
            return any(not self._own_landed(merge) for merge in self.holders(op))
        return False

    def _own_landed(self, merge: MergeOp) -> set[str]:
        """What landed of a merge and can't have come through another one, which landed as a whole."""
        others = {
            name
            for other in self.facts.merges
            if other.name != merge.name and self.landed.issuperset(other.holds)
            for name in other.holds
        }
        return (set(merge.holds) & self.landed) - others


def _finding(view: _View, cause: _Cause, ops: list[SummaryOp]) -> Finding:
    code, wording = _WORDING[cause]
    message, hint = wording(view, ops)
    holders = {merge.name for op in ops for merge in view.holders(op)}
    return Finding(
        code,
        message,
        hint,
        # A later finding on this graph names other ops and must not pass for this one.
        subject=f"{view.facts.label}: {ops[0].name}",
        data={
            "cause": cause.value,
            "ops": [op.as_dict() for op in ops],
            "merges": [
                {"name": merge.name, "place": merge.place, "holds_them": merge.name in holders}
                for merge in view.facts.merges
            ],
            "adds": view.adds,
            "written_ops": len(view.landed),
        },
    )


def _never_merged(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    many = len(ops) > 1
    merges = "The graph has no merge op."
    earlier = all(merge.order < op.order for merge in view.merges for op in ops)
    if view.merges:
        several = len(view.merges) > 1
        built = f"{'were' if several else 'was'} built earlier and " if earlier else ""
        merges = f"{_merge_places(view.merges)} {built}{'hold' if several else 'holds'} other ops only."
    message = (
        f"{_count(ops)} {'were' if many else 'was'} defined but never merged, and never written: {_listed(ops)}. "
        f"{merges} {_adds(view)}"
    )
    if view.merges and earlier:
        return message, f"{_move_merge(view, ops)}, and write it. {_RUN_AND_ADD}"
    return message, f"{_merge_below(ops)} {_RUN_AND_ADD}"


def _never_written(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    holders = [merge for merge in view.merges if any(merge.name in op.merged_by for op in ops)]
    whole = [merge for merge in holders if all(merge.name in op.merged_by for op in ops)]
    many = len(ops) > 1
    message = (
        f"{_count(ops)} {'are' if many else 'is'} merged, but the merged value never reached add_summary: "
        f"{_listed(ops)}. {_merge_places(holders)} {'hold' if len(holders) > 1 else 'holds'} "
        f"{'them' if many else 'it'}. {_others(view) if view.landed else _adds(view)}"
    )
    place = _merge_places(whole[-1:] or holders)
    several = " (each of them)" if not whole else ""
    hint = f"Run t{place[1:]}{several}, here called `merged`, and write what it returns. {_RUN_AND_ADD}"
    return message, hint


def _after_the_merge(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    pronoun = "them" if len(ops) > 1 else "it"
    message = (
        f"{_count(ops)} {_were(ops)} defined after the summaries were merged, so no merge op holds {pronoun}: "
        f"{_listed(ops)}. {_merge_places(view.merges)} came earlier. {_others(view)}"
    )
    return message, f"{_move_merge(view, ops)}; or {_run_alone(ops)}."


def _other_collection(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    names = sorted({name for op in ops for name in op.collections})
    pronoun = "them" if len(ops) > 1 else "it"
    where = f"in the collection {_or(names)}, of which no merge op holds anything" if names else "in no collection"
    message = (
        f"{_count(ops)} {_were(ops)} defined {where}: {_listed(ops)}. "
        f"{_merge_places(view.merges)} {'do' if len(view.merges) > 1 else 'does'} not hold {pronoun}. {_others(view)}"
    )
    hint = (
        f"Merge {pronoun} too: `merged = {_merge_call(ops)}`. {_RUN_AND_ADD} "
        f"Or leave out `collections={'' if names else '[]'}` at {ops[0].place}, so that `merge_all()` finds {pronoun}."
    )
    return message, hint


def _left_out(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    pronoun = "them" if len(ops) > 1 else "it"
    message = (
        f"{_count(ops)} {_were(ops)} left out when the summaries were merged: {_listed(ops)}. "
        f"{_merge_places(view.merges)} {'do' if len(view.merges) > 1 else 'does'} not hold {pronoun}. {_others(view)}"
    )
    return message, (
        f"Add {pronoun} to the list at {view.merges[-1].place}, "
        f"`merged = tf.compat.v1.summary.merge([..., {_variable(ops[0])}])`, "
        f"or {_run_alone(ops)}."
    )


def _no_merge(view: _View, ops: list[SummaryOp]) -> tuple[str, str]:
    message = (
        f"{_count(ops)} {_were(ops)} never written: {_listed(ops)}. The graph has no merge op that holds "
        f"{'them' if len(ops) > 1 else 'it'}. {_others(view)}"
    )
    return message, f"{_merge_below(ops)} {_RUN_AND_ADD} Or {_run_alone(ops)}, as the others."


_WORDING: dict[_Cause, tuple[str, Callable[[_View, list[SummaryOp]], tuple[str, str]]]] = {
    _Cause.NEVER_MERGED: ("SW301", _never_merged),
    _Cause.NEVER_WRITTEN: ("SW302", _never_written),
    _Cause.AFTER_THE_MERGE: ("SW303", _after_the_merge),
    _Cause.OTHER_COLLECTION: ("SW303", _other_collection),
    _Cause.LEFT_OUT: ("SW303", _left_out),
    _Cause.NO_MERGE: ("SW303", _no_merge),
}

_RUN_AND_ADD = "At each step: `summary = sess.run(merged)`, then `writer.add_summary(summary, step)`."


def _count(ops: Sequence[SummaryOp]) -> str:
    return f"{len(ops)} summary ops" if len(ops) > 1 else "A summary op"


def _were(ops: Sequence[SummaryOp]) -> str:
    return "were" if len(ops) > 1 else "was"


def _listed(ops: Sequence[SummaryOp]) -> str:
    named = ", ".join(f"{op.tag!r} ({op.place})" for op in ops[:NAMED])
    return f"{named} and {len(ops) - NAMED} more" if len(ops) > NAMED else named


def _or(words: Sequence[str]) -> str:
    return " or ".join(repr(word) for word in words)


def _merge_places(merges: Sequence[MergeOp]) -> str:
    """``The merge op at train.py:20``, as the start of a sentence."""
    places = list(dict.fromkeys(merge.place for merge in merges if merge.place))
    if not places:
        return "The merge op that TensorFlow built"
    if len(places) == 1:
        return f"The merge op at {places[0]}"
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"The merge ops at {', '.join(places[:NAMED])}{more}"


def _adds(view: _View) -> str:
    if not view.adds:
        return "add_summary was never called: nothing was ever added."
    return f"add_summary was called {_times(view.adds)}, always with something else, such as a Summary made by hand."


def _others(view: _View) -> str:
    landed = len(view.landed)
    return f"{landed} other {'ops' if landed > 1 else 'op'} of the graph reached a writer in {_calls(view.adds)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _calls(number: int) -> str:
    return f"{number} add_summary {'call' if number == 1 else 'calls'}"


def _merge_below(ops: Sequence[SummaryOp]) -> str:
    last = ", where the last of them is defined," if len(ops) > 1 else ""
    return f"Below {ops[-1].place}{last} write `merged = {_merge_call(ops)}`."


def _move_merge(view: _View, ops: Sequence[SummaryOp]) -> str:
    merge, last = view.merges[-1], ops[-1].place
    origin = f" from {merge.place}" if merge.place else ""
    return f"Move `merged = {_merge_call(ops)}`{origin} below {last}, where the last summary is defined"


def _run_alone(ops: Sequence[SummaryOp]) -> str:
    pronoun = "each of them" if len(ops) > 1 else "it"
    return f"run {pronoun} alone: `writer.add_summary(sess.run({_variable(ops[0])}), step)`"


def _merge_call(ops: Sequence[SummaryOp]) -> str:
    """The call that merges these ops, all of them."""
    shared = set(ops[0].collections).intersection(*(op.collections for op in ops))
    if DEFAULT_COLLECTION in shared:
        return "tf.compat.v1.summary.merge_all()"
    if shared:
        return f'tf.compat.v1.summary.merge_all(key="{min(shared)}")'
    more = ", ..." if len(ops) > 1 else ""
    return f"tf.compat.v1.summary.merge([{_variable(ops[0])}{more}])"


def _variable(op: SummaryOp) -> str:
    """A name for what the user's line returned; what the user called it is not known."""
    word = re.sub(r"\W+", "_", (op.tag or op.name).rsplit("/", 1)[-1]).strip("_") or "value"
    return f"{'op_' if word[0].isdigit() else ''}{word}_summary"


@dataclass
class _Growth:
    """The ops of one pattern that were defined after the first add."""

    looks: list[int] = field(default_factory=list)
    ops: list[SummaryOp] = field(default_factory=list)

    def take(self, look: int, op: SummaryOp) -> None:
        if not self.looks or self.looks[-1] != look:
            self.looks.append(look)
        self.ops.append(op)


class GrowthJudge:
    """SW304: the number of summary ops grows between adds, as it does when a loop defines them.

    Two patterns are told: TensorFlow had to make a tag unique again and again (``loss``, ``loss_1``, ``loss_2``),
    or one line defines ever new tags that differ only in a number. An op that is built once in the middle of a run,
    or several different ones, are no loop. Told once a graph.

    Args:
        before: The ops that the graph had when its first summary was added.
        label: The graph's, see ``GraphFacts``.
    """

    REPEATS = 3  #: looks at which a tag came back, made unique
    NUMBERED = 10  #: looks at which one line defined a tag with another number: layers have numbers too

    def __init__(self, before: Iterable[SummaryOp] = (), label: str = "graph") -> None:
        self._label = label
        self._tags = {_shown(op) for op in before}
        self._repeats: dict[str, _Growth] = {}
        self._numbered: dict[tuple[str, str], _Growth] = {}
        self._looks = 0
        self._told = False

    def look(self, adds: int, created: Iterable[SummaryOp]) -> Finding | None:
        """Takes in what was created since the last look; to be called once an add.

        Args:
            adds: How many ``add_summary`` calls there were so far.
            created: The summary ops that the graph gained since the last look.
        """
        ops = list(created)
        if self._told or not ops:
            return None
        self._looks += 1
        for op in ops:
            tag = _shown(op)
            self._tags.add(tag)
            base = _UNIQUE.sub("", tag)
            if base != tag and base in self._tags:
                self._repeats.setdefault(base, _Growth()).take(self._looks, op)
            if op.place:
                self._numbered.setdefault((op.place, _NUMBER.sub("#", tag)), _Growth()).take(self._looks, op)
        return self._judge(adds)

    def _judge(self, adds: int) -> Finding | None:
        repeats = {base: each for base, each in self._repeats.items() if len(each.looks) >= self.REPEATS}
        numbered = [each for each in self._numbered.values() if len(each.looks) >= self.NUMBERED and _numbers(each)]
        if not repeats and not numbered:
            return None
        self._told = True
        if repeats:
            return self._finding(adds, list(repeats.values()), list(repeats), _again(repeats))
        patterns = [_NUMBER.sub("", _shown(each.ops[0])).strip("_/ ") or "value" for each in numbered]
        return self._finding(adds, numbered, patterns, _ever_new(numbered))

    def _finding(self, adds: int, grown: list[_Growth], tags: list[str], what: str) -> Finding:
        lines = list(dict.fromkeys(op.place for each in grown for op in each.ops if op.place))
        message = (
            f"Summary ops are defined while the run is being written: {what}, since the first of {_calls(adds)}. "
            f"The line is {', '.join(lines[:NAMED]) or 'not known'}. "
            "Each op becomes a chart of its own with a single point, and the graph grows with every step."
        )
        data = {
            "tags": tags,
            "ops": [op.as_dict() for each in grown for op in each.ops],
            "places": lines,
            "adds": adds,
        }
        return Finding("SW304", message, _growth_hint(grown[0].ops[0], tags[0]), subject=self._label, data=data)


_UNIQUE = re.compile(r"_\d+(?=/|$)")  # what TensorFlow appends to a name, or to a scope, that is taken
_NUMBER = re.compile(r"\d+")


def _shown(op: SummaryOp) -> str:
    return op.tag if op.tag is not None else op.name


def _again(repeats: Mapping[str, _Growth]) -> str:
    """``'loss' was defined again 3 times, as 'loss_1', 'loss_2', 'loss_3'``."""
    bases = list(repeats)
    growth = repeats[bases[0]]
    others = f" (and so was {', '.join(repr(each) for each in bases[1:NAMED])})" if len(bases) > 1 else ""
    return f"{bases[0]!r} was defined again {_times(len(growth.ops))}, as {_examples(growth)}{others}"


def _ever_new(numbered: Sequence[_Growth]) -> str:
    """``10 ops whose tags differ in a number only, 'step0', 'step1', 'step2', …``."""
    number = sum(len(each.ops) for each in numbered)
    return f"{number} ops whose tags differ in a number only, {_examples(numbered[0])}"


def _examples(growth: _Growth) -> str:
    shown = ", ".join(repr(_shown(op)) for op in growth.ops[:3])
    return f"{shown}, …" if len(growth.ops) > 3 else shown


def _numbers(growth: _Growth) -> bool:
    return len({_shown(op) for op in growth.ops}) > 1


def _growth_hint(op: SummaryOp, tag: str) -> str:
    define = (
        f'`value = tf.compat.v1.placeholder(tf.float32)`, `op = tf.compat.v1.summary.{op.kind}("{tag}", value)`'
        if op.kind in ("scalar", "histogram")
        else "the op, with a placeholder for its value"
    )
    hint = (
        f"Define it once, before the loop: {define}; and in the loop feed it: "
        "`writer.add_summary(sess.run(op, feed_dict={value: x}), step)`."
    )
    if op.kind != "scalar":
        return hint
    return (
        f"{hint} Or write a number without any op: `tf.compat.v1.Summary(value=["
        f'tf.compat.v1.Summary.Value(tag="{tag}", simple_value=x)])`.'
    )


def not_a_summary(given: object) -> Finding:
    """SW305: ``add_summary`` got something that is no summary."""
    name = type(given).__name__
    raises: type[Exception] = TypeError
    if given is None:
        what = "None"
        hint = (
            "`merge_all()` gives None when its graph has no summary op in the collection: define the summaries "
            "first, in the "
            "same graph, and check what was run: `summary = sess.run(merged)`."
        )
    elif isinstance(given, (bytes, bytearray)):
        what = f"{len(given):,} bytes that are no serialized Summary"
        hint = "Pass what `sess.run(merged)` gave, unchanged."
        raises = ValueError
    elif hasattr(given, "graph") and hasattr(given, "op"):
        what = f"the tensor {getattr(given, 'name', '?')!r} itself, which was not run"
        hint = "Run it first: `summary = sess.run(merged)`, then `writer.add_summary(summary, step)`."
    elif isinstance(given, (list, tuple)):
        what = f"a {name} of {len(given)}"
        hint = "`sess.run([merged])` gives a list: take its item, `summary[0]`, or run `sess.run(merged)`."
        if len(given) > 1:
            hint = "Take the summary out of it, as in `summary, _ = sess.run([merged, train_op])`."
    elif isinstance(given, str):
        what = "a str"
        hint = "A serialized Summary is bytes: pass what `sess.run(merged)` gave, not its text."
    elif isinstance(given, (bool, int, float)) or "float" in name or "int" in name:
        what = f"a number ({name})"
        hint = (
            "For a bare value, build the summary by hand: `tf.compat.v1.Summary(value=["
            "tf.compat.v1.Summary.Value(tag='loss', simple_value=loss)])`."
        )
        if name.startswith("bool"):
            hint = (
                "The functions of `tf.summary` give a bool and write through `tf.summary.create_file_writer`; here, "
                "use those of "
                "`tf.compat.v1.summary`."
            )
    else:
        what = f"an object of type {name}"
        hint = "Pass what `sess.run(merged)` gave, or a `tf.compat.v1.Summary` message."
    return Finding(
        "SW305",
        f"add_summary was given {what}, not a summary.",
        hint,
        subject="add_summary",
        data={"type": name},
        raises=raises,
    )


def empty_summary() -> Finding:
    """SW306: a summary without a value."""
    return Finding(
        "SW306",
        "add_summary was given a summary with no values: an event is written that TensorBoard shows nothing of.",
        "Look at what was run: a merge of no summaries, or a hand-made `Summary()` to which no value was added.",
        subject="add_summary",
    )

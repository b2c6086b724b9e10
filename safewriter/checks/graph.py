"""The judges of SW301 to SW306: summary ops that no writer got, and what was added in place of a summary.

Plain facts of one graph go in (``safewriter.facts.graph`` gathers them), findings come out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Set as AbstractSet

from safewriter.checks.graph_wording import Cause, defined_in_loop, never_landed
from safewriter.checks.summary_ops import GraphFacts, Outcome, SummaryOp
from safewriter.findings import Finding


def unwritten(facts: GraphFacts, written: AbstractSet[str]) -> list[SummaryOp]:
    """The ops of a graph that were never written and whose absence can be held against the program."""
    landed = facts.landed(written)
    return [op for op in facts.ops if op.accountable and op.name not in landed and not (op.conditional and landed)]


def judge_graph(
    facts: GraphFacts, written: AbstractSet[str], adds: int, *, reported: Collection[str] = ()
) -> list[Finding]:
    """Names each op that never landed in exactly one finding, with its cause.

    To be called at the end of the program: until then, a later line of it may still write any op.

    Args:
        facts: The graph.
        written: The tags that were written for it.
        adds: How many ``add_summary`` calls its writers accepted.
        reported: Names of the ops that an earlier finding named.
    """
    outcome = Outcome(facts, facts.landed(written), adds)
    causes: dict[Cause, list[SummaryOp]] = {}
    for op in unwritten(facts, written):
        if op.name not in reported:
            causes.setdefault(_cause(outcome, op), []).append(op)
    return [never_landed(outcome, cause, ops) for cause, ops in causes.items()]


def _cause(outcome: Outcome, op: SummaryOp) -> Cause:
    if outcome.holders(op):
        return Cause.NEVER_WRITTEN
    if not outcome.landed:
        return Cause.NEVER_MERGED
    if not outcome.merges:
        return Cause.NO_MERGE
    akin = [merge for merge in outcome.merges if outcome.collections[merge.name].intersection(op.collections or [""])]
    if not akin:
        return Cause.OTHER_COLLECTION
    return Cause.AFTER_THE_MERGE if all(each.order < op.order for each in akin) else Cause.LEFT_OUT


class GrowthJudge:
    """SW304: the number of summary ops grows between adds, as it does when a loop defines them.

    Two patterns are reported: TensorFlow had to make a tag unique again and again (``loss``, ``loss_1``, ``loss_2``),
    or one line defines ever new tags that differ only in a number. An op that is built once in the middle of a run,
    or several different ones, are no loop. Reported once a graph.

    Args:
        before: The ops that the graph had when its first summary was added.
        label: The graph's, see ``GraphFacts``.
    """

    REPEATS = 3  #: looks at which a tag came back, made unique
    NUMBERED = 10  #: looks at which one line defined a tag with another number: layers have numbers too

    def __init__(self, before: Iterable[SummaryOp] = (), label: str = "graph") -> None:
        self._label = label
        self._tags = {op.tag or op.name for op in before}
        # By pattern: the ops that were defined after the first add, each with the look that found it.
        self._repeats: dict[str, list[tuple[int, SummaryOp]]] = {}
        self._numbered: dict[tuple[str, str], list[tuple[int, SummaryOp]]] = {}
        self._looks = 0
        self._reported = False

    def look(self, adds: int, created: Iterable[SummaryOp]) -> Finding | None:
        """Takes in the ops that were created since the last look; to be called once an add."""
        ops = list(created)
        if self._reported or not ops:
            return None
        self._looks += 1
        for op in ops:
            tag = op.tag or op.name
            self._tags.add(tag)
            base = _UNIQUE.sub("", tag)
            if base != tag and (op.renumbered or base in self._tags):
                self._repeats.setdefault(base, []).append((self._looks, op))
            if op.place:
                self._numbered.setdefault((op.place, _NUMBER.sub("#", tag)), []).append((self._looks, op))
        grown = {
            base: found for base, found in self._repeats.items() if len({look for look, _ in found}) >= self.REPEATS
        }
        again = bool(grown)
        if not again:
            grown = {
                _NUMBER.sub("", found[0][1].tag or found[0][1].name).strip("_/ ") or "value": found
                for found in self._numbered.values()
                if len({look for look, _ in found}) >= self.NUMBERED and len({op.tag or op.name for _, op in found}) > 1
            }
        if not grown:
            return None
        self._reported = True
        return defined_in_loop({tag: [op for _, op in found] for tag, found in grown.items()}, again, adds, self._label)


_UNIQUE = re.compile(r"_\d+(?=/|$)")  # what TensorFlow appends to a name, or to a scope, that is taken
_NUMBER = re.compile(r"\d+")


def not_a_summary(given: object) -> Finding:
    """SW305: ``add_summary`` got something that is no summary."""
    name = type(given).__name__
    raises: type[Exception] = TypeError
    what, hint = f"an object of type {name}", "Pass what `sess.run(merged)` gave, or a `tf.compat.v1.Summary` message."
    if given is None:
        what = "None"
        hint = (
            "`merge_all()` gives None when its graph has no summary op in the collection: define the summaries first, "
            "in the same graph, and check what was run: `summary = sess.run(merged)`."
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
            "For a bare value, build the summary by hand: "
            "`tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag='loss', simple_value=loss)])`."
        )
        if name.startswith("bool"):
            hint = (
                "The functions of `tf.summary` give a bool and write through `tf.summary.create_file_writer`; here, "
                "use those of `tf.compat.v1.summary`."
            )
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

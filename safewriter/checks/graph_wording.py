"""SW301 to SW304 in words: the message of each cause, and the hint in the names that the program itself uses."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Mapping, Sequence

from safewriter.checks.summary_ops import DEFAULT_COLLECTION, MergeOp, Outcome, SummaryOp
from safewriter.findings import Finding
from safewriter.findings.wording import listed, plural, were

NAMED = 10  #: so many ops a message names; the data of the finding holds all of them


def defined_in_loop(grown: Mapping[str, Sequence[SummaryOp]], again: bool, adds: int, label: str) -> Finding:
    """SW304.

    Args:
        grown: The ops by the tag that came back, or by what they have in common but a number.
        again: Whether TensorFlow made the tags unique.
        adds: How many ``add_summary`` calls there were so far.
        label: The graph's, see ``GraphFacts``.
    """
    tags, every = list(grown), [op for ops in grown.values() for op in ops]
    places = list(dict.fromkeys(op.place for op in every if op.place))
    ops = grown[tags[0]]
    examples = ", ".join(repr(op.tag or op.name) for op in ops[:3]) + (", …" if len(ops) > 3 else "")
    if again:
        others = f" (and so {were(len(tags) - 1)} {', '.join(map(repr, tags[1:NAMED]))})" if len(tags) > 1 else ""
        what = f"{tags[0]!r} was defined again {_times(len(ops))}, as {examples}{others}"
    else:
        what = f"{len(every)} ops whose tags differ in a number only, {examples}"
    define, tag, kind = "the op, with a placeholder for its value", tags[0], ops[0].kind
    if kind in ("scalar", "histogram"):
        define = f'`value = tf.compat.v1.placeholder(tf.float32)`, `op = tf.compat.v1.summary.{kind}("{tag}", value)`'
    hint = (
        f"Define it once, before the loop: {define}; and in the loop feed it: "
        "`writer.add_summary(sess.run(op, feed_dict={value: x}), step)`."
    )
    if kind == "scalar":
        hint += (
            " Or write a number without any op: "
            f'`tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag="{tag}", simple_value=x)])`.'
        )
    return Finding(
        "SW304",
        f"Summary ops are defined while the run is being written: {what}, since the first of {_calls(adds)}. "
        f"The line is {', '.join(places[:NAMED]) or 'not known'}. "
        "Each op becomes a chart of its own with a single point, and the graph grows with every step.",
        hint,
        subject=label,
        data={"tags": tags, "ops": [op.as_dict() for op in every], "places": places, "adds": adds},
    )


def _never_merged(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    merges = outcome.merges
    earlier = bool(merges) and all(merge.order < op.order for merge in merges for op in ops)
    what = "The graph has no merge op."
    if merges:
        built = f"{were(len(merges))} built earlier and " if earlier else ""
        what = f"{_merge_places(merges)} {built}{_verb(merges, 'hold')} other ops only."
    message = (
        f"{_count(ops)} {were(len(ops))} defined but never merged, and never "
        f"written: {_listed(ops)}. {what} {_adds(outcome)}"
    )
    if earlier:
        return message, f"{_move_merge(outcome, ops)}, and write it. {_run_and_add(merges[-1].variable)}"
    return message, f"{_merge_below(ops)} {_run_and_add()}"


def _never_written(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    holders = [merge for merge in outcome.merges if any(merge.name in op.merged_by for op in ops)]
    whole = [merge for merge in holders if all(merge.name in op.merged_by for op in ops)]
    message = (
        f"{_count(ops)} {'is' if len(ops) == 1 else 'are'} merged, but the merged value never reached add_summary: "
        f"{_listed(ops)}. {_merge_places(holders)} {_verb(holders, 'hold')} {_them(ops)}. "
        f"{_others(outcome) if outcome.landed else _adds(outcome)}"
    )
    chosen = whole[-1:] or holders
    name = chosen[0].variable if len(chosen) == 1 else ""
    place = f"t{_merge_places(chosen)[1:]}{'' if whole else ' (each of them)'}"
    called = "" if name else ", here called `merged`,"
    return message, f"Run {place}{called} and write what it returns. {_run_and_add(name)}"


def _after_the_merge(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    message = (
        f"{_count(ops)} {were(len(ops))} defined after the summaries were merged, so no merge op holds {_them(ops)}: "
        f"{_listed(ops)}. {_merge_places(outcome.merges)} came earlier. {_others(outcome)}"
    )
    return message, f"{_move_merge(outcome, ops)}; or {_run_alone(ops)}."


def _other_collection(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    names = sorted({name for op in ops for name in op.collections})
    listed = " or ".join(map(repr, names))
    where = f"in the collection {listed}, of which no merge op holds anything" if names else "in no collection"
    message = (
        f"{_count(ops)} {were(len(ops))} defined {where}: {_listed(ops)}. "
        f"{_merge_places(outcome.merges)} {_verb(outcome.merges, 'do')} not hold {_them(ops)}. {_others(outcome)}"
    )
    return message, (
        f"Merge {_them(ops)} too: `merged = {_merge_call(ops)}`. {_run_and_add()} Or leave out "
        f"`collections={'' if names else '[]'}` at {ops[0].place}, so that `merge_all()` finds {_them(ops)}."
    )


def _left_out(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    merge = outcome.merges[-1]
    message = (
        f"{_count(ops)} {were(len(ops))} left out when the summaries were merged: {_listed(ops)}. "
        f"{_merge_places(outcome.merges)} {_verb(outcome.merges, 'do')} not hold {_them(ops)}. {_others(outcome)}"
    )
    return message, (
        f"Add {_them(ops)} to the list at {merge.place}, `{merge.variable or 'merged'} = "
        f"tf.compat.v1.summary.merge([..., {_variable(ops[0])}])`, or {_run_alone(ops)}."
    )


def _no_merge(outcome: Outcome, ops: Sequence[SummaryOp]) -> tuple[str, str]:
    message = (
        f"{_count(ops)} {were(len(ops))} never written: {_listed(ops)}. "
        f"The graph has no merge op that holds {_them(ops)}. {_others(outcome)}"
    )
    return message, f"{_merge_below(ops)} {_run_and_add()} Or {_run_alone(ops)}, as the others."


class Cause(enum.Enum):
    """Why an op never reached a writer: the code, and what makes the message and the hint."""

    NEVER_MERGED = "SW301", _never_merged
    NEVER_WRITTEN = "SW302", _never_written
    AFTER_THE_MERGE = "SW303", _after_the_merge
    OTHER_COLLECTION = "SW303", _other_collection
    LEFT_OUT = "SW303", _left_out
    NO_MERGE = "SW303", _no_merge


def never_landed(outcome: Outcome, cause: Cause, ops: Sequence[SummaryOp]) -> Finding:
    """SW301, SW302 or SW303, for the ops of one cause."""
    code, words = cause.value
    message, hint = words(outcome, ops)
    holders = {merge.name for op in ops for merge in outcome.holders(op)}
    return Finding(
        code,
        message,
        hint,
        # Another finding on this graph names other ops and must not pass for this one.
        subject=f"{outcome.facts.label}: {ops[0].name}",
        data={
            "cause": cause.name.lower().replace("_", "-"),
            "ops": [op.as_dict() for op in ops],
            "merges": [
                {"name": merge.name, "place": merge.place, "holds_them": merge.name in holders}
                for merge in outcome.facts.merges
            ],
            "adds": outcome.adds,
            "written_ops": len(outcome.landed),
        },
    )


def _count(ops: Sequence[SummaryOp]) -> str:
    return "A summary op" if len(ops) == 1 else plural(len(ops), "summary op")


def _them(ops: Sequence[SummaryOp]) -> str:
    return "it" if len(ops) == 1 else "them"


def _verb(subjects: Collection[MergeOp], verb: str) -> str:
    """``holds``, ``hold``; ``does``, ``do``."""
    return verb if len(subjects) != 1 else f"{verb}{'es' if verb.endswith('o') else 's'}"


def _listed(ops: Sequence[SummaryOp]) -> str:
    return listed((f"{op.tag!r} ({op.place})" for op in ops), NAMED)


def _merge_places(merges: Sequence[MergeOp]) -> str:
    """``The merge op at train.py:20``, as the start of a sentence."""
    places = list(dict.fromkeys(merge.place for merge in merges if merge.place))
    ops = "merge op" if len(merges) == 1 else "merge ops"
    if not places:
        return f"The {ops} that TensorFlow built"
    return f"The {ops} at {listed(places, NAMED)}"


def _adds(outcome: Outcome) -> str:
    if not outcome.adds:
        return "add_summary was never called: nothing was ever added."
    return f"add_summary was called {_times(outcome.adds)}, always with something else, such as a Summary made by hand."


def _others(outcome: Outcome) -> str:
    return f"{plural(len(outcome.landed), 'other op')} of the graph reached a writer in {_calls(outcome.adds)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _calls(number: int) -> str:
    return plural(number, "add_summary call")


def _run_and_add(merged: str = "") -> str:
    merged = merged or "merged"
    value = "summary" if merged != "summary" else "value"
    return f"At each step: `{value} = sess.run({merged})`, then `writer.add_summary({value}, step)`."


def _merge_below(ops: Sequence[SummaryOp]) -> str:
    last = ", where the last of them is defined," if len(ops) > 1 else ""
    return f"Below {ops[-1].place}{last} write `merged = {_merge_call(ops)}`."


def _move_merge(outcome: Outcome, ops: Sequence[SummaryOp]) -> str:
    merge, last = outcome.merges[-1], ops[-1].place
    origin = f" from {merge.place}" if merge.place else ""
    call = f"{merge.variable or 'merged'} = {_merge_call(ops)}"
    return f"Move `{call}`{origin} below {last}, where the last summary is defined"


def _run_alone(ops: Sequence[SummaryOp]) -> str:
    which = "it" if len(ops) == 1 else "each of them"
    return f"run {which} alone: `writer.add_summary(sess.run({_variable(ops[0])}), step)`"


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

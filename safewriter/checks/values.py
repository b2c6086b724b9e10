"""SW4xx: tags, steps and values. One judge, fed by the live writer and by the audit alike.

The judge is shown each summary and keeps, per tag, what ``TagStats`` shows and the little that it takes to compare
the next write with the last one. A tag is reported once per code, when it first goes wrong; where many go wrong at one
step (a diverged model, a merged summary without a step) the first is reported and all the others together.

TensorBoard's part of it: its default loader keeps, per tag, only points whose steps rise, so a step that comes again or
goes down hides or erases others; one tag has one kind, that of its first write.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite, isnan
from struct import calcsize
from typing import Any, Final

from safewriter.findings import Finding
from safewriter.findings.wording import listed, plural

FROZEN_AFTER: Final = 10  #: writes of one tag at one step that are still taken as meant
NAMED: Final = 5  #: tags that a message about many tags names
SUMS: Final = 20  #: tags that are summed up one by one, per code

FLOAT, DOUBLE, _COMPLEX64, _BFLOAT16, _COMPLEX128, _HALF = 1, 2, 8, 14, 18, 19  # DataType, types.proto
# The field that holds numbers of a type, and how they lie in memory. Those of 16 bits are read as integers, in which
# an exponent of ones alone means infinite, or not a number.
_FLOATS: dict[int, tuple[str, Any, int]] = {
    FLOAT: ("float_val", "f", 0),
    DOUBLE: ("double_val", "d", 0),
    _COMPLEX64: ("scomplex_val", "f", 0),
    _COMPLEX128: ("dcomplex_val", "d", 0),
    _HALF: ("half_val", "H", 0x7C00),
    _BFLOAT16: ("half_val", "H", 0x7F80),
}

# Elements of a tensor that are looked at; of larger ones as many, evenly spread. A model that diverges fills tensors
# with NaN, and the training loop should not wait for a scan of gigabytes.
_LOOKS_WITH_NUMPY = 1 << 20
_LOOKS = 1 << 14

_KINDS = {
    "simple_value": "scalar",
    "histo": "histogram",
    "image": "image",
    "audio": "audio",
    "tensor": "tensor",
    "obsolete_old_style_histogram": "histogram",
}
_PLUGINS = {"scalars": "scalar", "histograms": "histogram", "images": "image"}
_UNKNOWN_KIND = "unknown"


class _Unsaid:
    """What the audit gives as the step that the user passed: a file does not say."""


UNSAID: Final = _Unsaid()


@dataclass(frozen=True)
class TagStats:
    """What is known of one tag.

    Attributes:
        count: Values written.
        first_step: Step of the first one, as stored.
        last_step: Step of the latest one, as stored.
        not_finite: Values that were, or held, NaN or an infinity.
    """

    count: int
    first_step: int
    last_step: int
    not_finite: int = 0

    def as_dict(self) -> dict[str, int]:
        """The same in values that JSON can hold."""
        return asdict(self)


TagStats.__module__ = "safewriter"


class _Tag:
    """State of one tag; small, because there may be a hundred thousand."""

    __slots__ = ("count", "field", "first", "high", "kind", "last", "low", "not_finite", "plain", "same")

    def __init__(self, field: str | None, kind: str, step: int) -> None:
        self.field = field
        self.kind = kind
        self.plain = field == "simple_value"
        self.count = 0
        self.first = step
        self.last = step
        self.low = step
        self.high = step  # before the step last went down; beyond it, ``last`` is the highest
        self.same = 1  # writes at the step ``last``, one after the other
        self.not_finite = 0

    @property
    def highest(self) -> int:
        return max(self.high, self.last)


@dataclass(slots=True)
class _Trouble:
    """How often one tag went wrong in one way."""

    first: int
    count: int = 1
    reported: int = 1


@dataclass(slots=True)
class _Burst:
    """Tags that first went wrong in one way at one step: the one that is reported, and those that wait."""

    code: str
    step: int
    first: str
    second: Finding | None = None  # of the first one that waits: it is reported as it is if it stays alone
    waiting: list[str] = field(default_factory=list)
    said: bool = False


class ValuesJudge:
    """Watches what one writer writes.

    Attributes:
        tags: State by tag. Its length grows by one with each new tag.
    """

    def __init__(self) -> None:
        self.tags: dict[str, _Tag] = {}
        self._whole: set[type] = {int, _Unsaid}
        self._troubles: dict[str, dict[str, _Trouble]] = {}
        self._bursts: dict[str, _Burst] = {}
        self._waiting = False

    def observe(self, summary: Any, step: int, given: object = UNSAID) -> Sequence[Finding]:
        """What is wrong with a summary, in the light of those before it.

        Args:
            summary: A message shaped like ``Summary``, TensorFlow's or ours.
            step: The step as it is stored.
            given: What the user passed as ``global_step``; left out where nobody knows.

        Returns:
            Findings that were not reported before; the empty tuple in the normal case.
        """
        found: list[Finding] = []
        if self._waiting:
            self._say_of(found, lambda burst: burst.step != step)
        quiet = step >= 0 and type(given) in self._whole
        tags = self.tags
        for value in summary.value[:]:  # a list: their own iterator ends with an exception, expensive for one value
            tag = value.tag
            state = tags.get(tag)
            if state is not None and state.plain and quiet and step > state.last:
                number = value.simple_value
                # A number other than 0 is set, so the message need not be asked which field it holds.
                if number and isfinite(number):
                    state.last = step
                    state.same = 1
                    state.count += 1
                    continue
            self._look(found, value, tag, state, step, given, quiet)
        if not found:
            return ()
        # Reported in this call, with others behind it in the same summary: nothing to wait for.
        reported = {(finding.code, finding.subject) for finding in found}
        self._say_of(found, lambda burst: (burst.code, burst.first) in reported)
        return found

    def restart(self, step: int) -> None:
        """A session-log START: the run goes on from this step, and what was beyond it is meant to be replaced."""
        for state in self.tags.values():
            if state.last >= step:
                state.high = state.highest
                state.last = step
                state.same = 0

    def sum_up(self, everything: bool = False) -> list[Finding]:
        """What waits to be reported, and the sums for what went on after it was reported. Each is returned once.

        Args:
            everything: The sums for all that was ever wrong, reported or not, and nothing beside them.
        """
        found: list[Finding] = []
        if everything:
            self._reconsider()
        else:
            self._say_of(found, lambda _: True)
        for code, troubles in self._troubles.items():
            more = {tag: trouble for tag, trouble in troubles.items() if everything or trouble.count > trouble.reported}
            found += self._sums(code, more)
            for trouble in more.values():
                trouble.reported = trouble.count
        return found

    def stats(self) -> dict[str, TagStats]:
        """Each tag's count, steps and number of values that were not finite."""
        return {
            tag: TagStats(state.count, state.first, state.last, state.not_finite) for tag, state in self.tags.items()
        }

    # What follows runs for first sights, for kinds other than scalars, and where something is wrong.

    def _look(
        self, found: list[Finding], value: Any, tag: str, state: _Tag | None, step: int, given: object, quiet: bool
    ) -> None:
        field = value.WhichOneof("value")
        if state is None:
            state = self.tags[tag] = _Tag(sys.intern(field) if field else None, kind_of(value, field), step)
        else:
            if field != state.field or field == "tensor":
                self._judge_kind(found, value, field, tag, state, step)
            if given is None:
                self._trouble(found, "SW402", tag, step, state)
            elif step > state.last:
                state.same = 1
            elif step == state.last:
                state.same += 1
                if state.same > FROZEN_AFTER:
                    # In a file, no step and step 0 look alike. Nothing but step 0 was written without one, most likely.
                    unsaid = given is UNSAID and step == 0 and state.same > state.count
                    self._trouble(found, "SW402" if unsaid else "SW404", tag, step, state)
            else:
                self._trouble(found, "SW403", tag, step, state)
                state.same = 1
            if step < state.last:
                state.high = state.highest
                state.low = min(state.low, step)
        if not quiet and given is not None and not self._is_whole(given, step):
            self._trouble(found, "SW406", tag, step, state, given)
        state.last = step
        state.count += 1
        if field == "simple_value":
            finite = isfinite(value.simple_value)
        elif field == "histo":
            finite = _histogram_is_finite(value.histo)
        else:
            finite = field != "tensor" or _tensor_is_finite(value.tensor)
        if not finite:
            state.not_finite += 1
            self._trouble(found, "SW401", tag, step, state, _shown(value, field))

    def _judge_kind(
        self, found: list[Finding], value: Any, field: str | None, tag: str, state: _Tag, step: int
    ) -> None:
        kind = kind_of(value, field)
        # Writers drop the metadata of a tag they know, so a bare tensor is of the kind that the tag has.
        if kind in ("tensor", _UNKNOWN_KIND, state.kind):
            return
        if state.kind in ("tensor", _UNKNOWN_KIND):
            state.kind = kind
            state.field, state.plain = field, field == "simple_value"
        else:
            self._trouble(found, "SW405", tag, step, state, kind)

    def _is_whole(self, given: object, step: int) -> bool:
        if step < 0 or isinstance(given, (bool, str, bytes)) or type(given).__name__ in ("bool_", "bool"):
            return False
        if isinstance(given, numbers.Integral):
            self._whole.add(type(given))
            return True
        try:
            return bool(given == step)
        except Exception:  # noqa: BLE001 - a type of the user's: the writer made an integer of it, we can't say more
            return True

    def _trouble(
        self, found: list[Finding], code: str, tag: str, step: int, state: _Tag, detail: object = None
    ) -> None:
        troubles = self._troubles.setdefault(code, {})
        trouble = troubles.get(tag)
        burst = self._bursts.get(code)
        if trouble is not None:
            trouble.count += 1
            if burst is not None and burst.first == tag and not burst.said and burst.waiting:
                self._say(burst, found)
            return
        troubles[tag] = _Trouble(step)
        if burst is None or burst.step != step:
            if burst is not None and not burst.said:
                self._say(burst, found)
            self._bursts[code] = _Burst(code, step, tag)
            found.append(_finding(code, tag, step, state, detail))
        elif burst.said:
            troubles[tag].reported = 0  # one step, reported twice already: the rest is for the sum at close
        else:
            if not burst.waiting:
                burst.second = _finding(code, tag, step, state, detail)
            burst.waiting.append(tag)
            self._waiting = True

    def _say_of(self, found: list[Finding], ready: Callable[[_Burst], bool]) -> None:
        for burst in self._bursts.values():
            if not burst.said and ready(burst):
                self._say(burst, found)
        self._waiting = any(burst.waiting for burst in self._bursts.values())

    def _say(self, burst: _Burst, found: list[Finding]) -> None:
        waiting, burst.waiting = burst.waiting, []
        burst.said = bool(waiting)
        if len(waiting) == 1 and burst.second is not None:
            found.append(burst.second)
        elif waiting:
            found.append(_many(waiting, burst))

    def _reconsider(self) -> None:
        """What looked like writes without a step was a step that froze at 0, where the tag went on to others."""
        guessed = self._troubles.get("SW402", {})
        for tag in [tag for tag in guessed if self.tags[tag].highest > 0]:
            trouble = guessed.pop(tag)
            known = self._troubles.setdefault("SW404", {}).setdefault(tag, trouble)
            if known is not trouble:
                known.count += trouble.count
                known.first = min(known.first, trouble.first)

    def _sums(self, code: str, troubles: dict[str, _Trouble]) -> list[Finding]:
        """One finding a tag; one for all that began at the same step, and for what is left where there are too many."""
        by_step: dict[int, dict[str, _Trouble]] = {}
        for tag, trouble in troubles.items():
            by_step.setdefault(trouble.first, {})[tag] = trouble
        found: list[Finding] = []
        alone: dict[str, _Trouble] = {}
        for group in by_step.values():
            if len(group) > NAMED:
                found.append(self._sum_of_many(code, group))
            else:
                alone.update(group)
        if len(alone) > SUMS:
            return [*found, self._sum_of_many(code, alone)]
        return [*found, *(self._sum_of(code, tag, trouble) for tag, trouble in alone.items())]

    def _sum_of(self, code: str, tag: str, trouble: _Trouble) -> Finding:
        state = self.tags[tag]
        if code == "SW402" and state.same == state.count:
            trouble.count = state.count - 1  # all but the first are written again, also those that were let pass
        one = trouble.count == 1
        of = f"{trouble.count:,} of {plural(state.count, 'value')}"
        since = f"at step {trouble.first}" if one else f"the first at step {trouble.first}"
        was, had, times = ("was", "has", "once") if one else ("were", "have", f"{trouble.count:,} times")
        sums = {
            "SW401": f"Tag {tag!r}: {of} {was} NaN or infinite, {since}.",
            "SW402": f"Tag {tag!r}: {of} {was} written again without a step; they lie on each other, on step 0.",
            "SW403": f"Tag {tag!r}: its step went down {times} in {state.count:,} writes, {since}.",
            "SW404": f"Tag {tag!r}: {of} went to a step that had {FROZEN_AFTER} already, {since}.",
            "SW405": f"Tag {tag!r}: {of} {was} of another kind than its first ({state.kind}), {since}.",
            "SW406": f"Tag {tag!r}: {of} {had} a step that is negative or not a whole number, {since}.",
        }
        return Finding(
            code,
            sums[code],
            _HINTS[code],
            subject=tag,
            count=trouble.count,
            data={"tag": tag, "first_step": trouble.first, "count": trouble.count, "of": state.count},
        )

    def _sum_of_many(self, code: str, troubles: dict[str, _Trouble]) -> Finding:
        count = sum(trouble.count for trouble in troubles.values())
        of = sum(self.tags[tag].count for tag in troubles)
        first = min(trouble.first for trouble in troubles.values())
        return Finding(
            code,
            f"{len(troubles):,} tags {_WENT_ON[code]}, {count:,} times in {of:,} writes, "
            f"from step {first} on: {_named(troubles)}.",
            _HINTS[code],
            subject=f"step {first}",
            count=count,
            data={"tags": sorted(troubles)[:1000], "first_step": first, "count": count, "of": of},
        )


def kind_of(value: Any, field: str | None) -> str:
    """The kind under which TensorBoard shows a value: its plug-in's for tensors, else that of its field."""
    if field in ("tensor", None) and value.HasField("metadata"):
        plugin: str = value.metadata.plugin_data.plugin_name
        if plugin:
            return _PLUGINS.get(plugin, plugin)
    return _KINDS.get(field or "", _UNKNOWN_KIND)


_HINTS = {
    "SW401": "The gap in the chart starts there. Look at what feeds this tag at that step: a logarithm of 0, a "
    "division by 0, or a learning rate that is too high. tf.debugging.check_numerics(x, 'x') stops where it is made.",
    "SW402": "Pass the step: writer.add_summary(summary, global_step=step).",
    "SW403": "Pass steps that rise. To go on from a checkpoint at step N in the old directory, create the writer with "
    "SafeFileWriter(logdir, resume_step=N); to start anew, give each run a directory of its own.",
    "SW404": "Pass a step that rises with each write, such as sess.run(global_step) or a counter of your loop; a step "
    "that was read once before the loop, or while a function was traced, stays as it was.",
    "SW405": "Give each kind a tag of its own, such as 'loss' for the scalar and 'loss/histogram' for the histogram.",
    "SW406": "Pass a whole number from 0 on, such as int(epoch * steps_per_epoch).",
}

_WENT_ON = {
    "SW401": "were NaN or infinite",
    "SW402": "were written again without a step",
    "SW403": "had steps that went down",
    "SW404": "were written more than 10 times at one step",
    "SW405": "were written as two kinds",
    "SW406": "had a step that is negative or not a whole number",
}


def _finding(code: str, tag: str, step: int, state: _Tag, detail: object) -> Finding:
    given = step if detail is UNSAID else detail
    stored = f" and is stored as {step}" if given != step or isinstance(given, (bool, str)) else ""
    messages = {
        "SW401": f"holds {detail} at step {step}: TensorBoard shows a gap or nothing there.",
        "SW402": f"is written again without a step: write {state.count + 1:,} of it lies on step 0, as every one "
        "without a step does. TensorBoard shows one of them.",
        "SW403": f"went back from step {state.last} to step {step}: TensorBoard hides what it has beyond step {step}, "
        "or draws a zigzag.",
        "SW404": f"is written for the {state.same}th time at step {step}: the points lie on each other, and "
        "TensorBoard shows one of them.",
        "SW405": f"was written as {state.kind} and is written as {detail} at step {step}: TensorBoard shows one kind "
        "per tag.",
        "SW406": f"is written at step {given!r}, which is not a whole number from 0 on{stored}.",
    }
    more: dict[str, dict[str, Any]] = {
        "SW401": {"value": detail},
        "SW403": {"previous_step": state.last},
        "SW405": {"kinds": [state.kind, detail]},
        "SW406": {"given": repr(given)},
    }
    data = {"tag": tag, "step": step, **more.get(code, {})}
    return Finding(code, f"Tag {tag!r} {messages[code]}", _HINTS[code], subject=tag, data=data)


def _many(tags: list[str], burst: _Burst) -> Finding:
    code = burst.code
    at = "" if code == "SW402" else f" at step {burst.step}"
    also = f"{len(tags):,} more tags {_WENT_ON[code]}{at}, as {burst.first!r} did: {_named(tags)}."
    return Finding(
        code,
        f"{also} They are reported together, as one event." if len(tags) > NAMED else also,
        _HINTS[code],
        subject=f"step {burst.step}",
        count=len(tags),
        data={"tags": sorted(tags)[:1000], "step": burst.step, "count": len(tags)},
    )


def _named(tags: Iterable[str]) -> str:
    return listed(map(repr, sorted(tags)), NAMED)


def _shown(value: Any, field: str) -> str:
    """What was found, for the message."""
    if field == "simple_value":
        number = value.simple_value
        return "NaN" if isnan(number) else "+Inf" if number > 0 else "-Inf"
    return "NaN or Inf"


def _histogram_is_finite(histogram: Any) -> bool:
    # Limits of buckets are left alone: the outermost ones are infinite in some writers' histograms, on purpose.
    low, high, total, squares = histogram.min, histogram.max, histogram.sum, histogram.sum_squares
    if isfinite(low + high + total + squares):
        return True
    # Two finite numbers can have an infinite sum.
    return isfinite(low) and isfinite(high) and isfinite(total) and isfinite(squares)


def _tensor_is_finite(tensor: Any) -> bool:
    if tensor.dtype not in _FLOATS:
        return True
    field, cast, exponent = _FLOATS[tensor.dtype]
    content = tensor.tensor_content
    if not content:
        values = getattr(tensor, field)
        if len(values) == 1 and not exponent:
            return isfinite(values[0])
    elif len(content) > 512 and (numpy := sys.modules.get("numpy")):
        values = numpy.frombuffer(content, dtype=cast, count=len(content) // numpy.dtype(cast).itemsize)
        values = values[:: len(values) // _LOOKS_WITH_NUMPY + 1]
        return bool((values & exponent != exponent).all() if exponent else numpy.isfinite(values).all())
    else:
        size = calcsize(cast)
        values = memoryview(content)[: len(content) // size * size].cast(cast)
    if len(values) > _LOOKS:
        values = values[:: len(values) // _LOOKS + 1]
    if exponent:
        return not any(value & exponent == exponent for value in values)
    return isfinite(sum(values)) or all(map(isfinite, values))

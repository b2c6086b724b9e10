"""SW601 to SW605, and SW107 at rest: event files, each by itself and together with the others of its run."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safewriter.eventfile.read import Damage
from safewriter.findings import Finding
from safewriter.findings.wording import listed, plural

_NAMED = 5  #: tags, or places in a file, that a message names
_LISTED = 1000  #: tags that the data of a finding lists


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What a file, or a run, holds of one tag.

    Attributes:
        kind: ``scalar``, ``histogram``, ``image``, ``audio``, ``text``, ``tensor``, or the name of another plugin.
        count: Values.
        first_step: Step of the first value.
        last_step: Step of the last one.
        lowest_step: The lowest of all.
        highest_step: The highest of all.
        first_time: Wall time of the first value, in seconds since 1970.
        last_time: Wall time of the last one.
        not_finite: Values that are, or hold, NaN or an infinity.
        points: Some of a scalar's values, evenly spread; empty where none were asked for.
    """

    kind: str
    count: int
    first_step: int
    last_step: int
    lowest_step: int
    highest_step: int
    first_time: float
    last_time: float
    not_finite: int = 0
    points: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What an event file holds and what is wrong with its bytes.

    Attributes:
        path: Its path.
        bytes: Its size when it was read.
        events: Whole records that hold an event.
        summaries: Those with a summary.
        graphs: Those with a graph.
        versions: Those with a version record: one a writer.
        begins: What stands first: ``"version"``, another ``"event"``, ``"damage"``, ``"nothing"`` (an empty file) or
            ``"other"`` (bytes that no event file begins with, and no event behind them).
        first_time: Wall time of the first event, in seconds since 1970; 0 where there is none.
        last_time: Wall time of the last event.
        starts: Steps of the session-log STARTs: from each on, what was written before is meant to be replaced.
        tags: By tag.
        damages: The first damaged places.
        damaged: How many there are.
        skipped: Bytes in them.
        shown: Events before the first damage: what TensorBoard shows.
        torn: Bytes of an unfinished record at the end.
        being_written: Another program has it open for writing, or it grew while it was read.
        complete: False where the reading was broken off.
        error: Why it can't be read, or None.
        errno: The number of that error, where the operating system gave one.
        values: What the judge of tags, steps and values found in it.
    """

    path: str
    bytes: int = 0
    events: int = 0
    summaries: int = 0
    graphs: int = 0
    versions: int = 0
    begins: str = "nothing"
    first_time: float = 0.0
    last_time: float = 0.0
    starts: tuple[int, ...] = ()
    tags: Mapping[str, TagFacts] = field(default_factory=dict, hash=False)
    damages: tuple[Damage, ...] = ()
    damaged: int = 0
    skipped: int = 0
    shown: int = 0
    torn: int = 0
    being_written: bool = False
    complete: bool = True
    error: str | None = None
    errno: int | None = None
    values: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return os.path.basename(self.path)


def _repair(facts: FileFacts) -> str:
    return (
        f"`safewriter repair {shlex.quote(facts.path)} --output DIR` writes a copy that TensorBoard reads to its end."
    )


def judge_file(facts: FileFacts) -> list[Finding]:
    """What is wrong with one file: SW601, SW602, SW605, and what the judge of values found.

    Exempt: the end of a file that is being written.
    """
    found = [finding for finding in (_not_an_event_file(facts), _corrupt(facts), _torn(facts)) if finding is not None]
    return [*found, *facts.values]


def _finding(code: str, facts: FileFacts, message: str, hint: str, count: int = 1, **data: Any) -> Finding:
    return Finding(code, message, hint, subject=facts.path, count=count, path=facts.path, data=data)


def _not_an_event_file(facts: FileFacts) -> Finding | None:
    if facts.error is not None:
        return _finding(
            "SW605",
            facts,
            f"The file can't be read: {facts.error}.",
            "Check that it is there and that you may read it, with `ls -l`.",
            errno=facts.errno,
        )
    if facts.begins == "nothing" and not facts.being_written and facts.complete:
        message = "The file is empty: it holds not even the version record that writers begin with."
        hint = "Its writer was killed before the first flush, or the disk was full. Nothing in it can be saved."
    elif facts.begins == "other":
        message = "The file does not begin with a version record, as event files do, and no event was found in it."
        hint = "TensorBoard tries to read every file with 'tfevents' in its name. Move it out of the log directory."
    elif facts.begins == "event":
        message = (
            "The file does not begin with a version record: its beginning is missing, or another program wrote it."
        )
        hint = _repair(facts)
    else:
        return None
    return _finding("SW605", facts, message, hint, events=facts.events, bytes=facts.bytes)


def _corrupt(facts: FileFacts) -> Finding | None:
    if not facts.damages or facts.begins == "other":
        return None
    first = facts.damages[0]
    places = f"{facts.damaged:,} places are damaged; the first is" if facts.damaged > 1 else "A record is damaged"
    hidden = facts.events - facts.shown
    hint = [_repair(facts)]
    if facts.versions > 1:
        hint.insert(0, f"{facts.versions} writers wrote into this one file: give each a log directory of its own.")
    elif "zeros" in first.reason:
        hint.insert(
            0,
            "Zeros are left where a file is truncated under its writer (two stock writers of one directory and second "
            "do that to each other), or where a machine or a file system broke down.",
        )
    return _finding(
        "SW602",
        facts,
        f"{places} at byte {first.offset:,}: {first.reason}. TensorBoard shows the {facts.shown:,} events before it "
        f"and none of the {hidden:,} whole events behind it; {facts.skipped:,} bytes can't be read.",
        " ".join(hint),
        count=facts.damaged,
        offset=first.offset,
        events_before=facts.shown,
        events_hidden=hidden,
        bytes_skipped=facts.skipped,
        versions=facts.versions,
        places=[{"offset": each.offset, "bytes": each.length, "reason": each.reason} for each in facts.damages],
    )


def _torn(facts: FileFacts) -> Finding | None:
    if not facts.torn or facts.being_written or facts.begins == "other":
        return None
    offset = facts.bytes - facts.torn
    return _finding(
        "SW601",
        facts,
        f"The file ends inside a record: the {facts.torn:,} bytes from byte {offset:,} on are the beginning of an "
        f"event that was never finished. The {facts.events:,} events before it are whole.",
        "Its writer was killed, or the disk was full, before it could write the rest; what the stock writer still "
        f"held in memory is lost. {_repair(facts)}",
        offset=offset,
        bytes_torn=facts.torn,
        events_before=facts.events,
    )


def judge_run(path: str, files: Sequence[FileFacts]) -> list[Finding]:
    """What is wrong with the files of one directory taken together: SW603, SW604 and SW107 at rest.

    Exempt: a run that goes on at a later step than the files before it reached, or behind a session-log START at or
    below its first step; files that hold different tags; a tag that was only ever at step 0.
    """
    in_order = sorted((facts for facts in files if facts.tags), key=lambda facts: (_span_of(facts), facts.path))
    return [*_no_summaries(path, files), *_overlaps(path, in_order), *_earlier_runs(in_order)]


def _no_summaries(path: str, files: Sequence[FileFacts]) -> Iterator[Finding]:
    read = [facts for facts in files if not facts.name.endswith(".profile-empty")]
    sound = [facts for facts in read if facts.error is None and facts.events]
    if not sound or any(facts.summaries or facts.being_written or not facts.complete for facts in read):
        return
    events, graphs = sum(facts.events for facts in sound), sum(facts.graphs for facts in sound)
    holds = plural(events, "event") + (", with a graph," if graphs else "")
    yield Finding(
        "SW603",
        f"{'The file holds' if len(sound) == 1 else f'{len(sound):,} files hold'} {holds} and no summary: "
        f"TensorBoard has no chart to show.",
        "Run the summary ops and pass the result on: writer.add_summary(sess.run(merged), global_step=step). "
        "SafeFileWriter names, at its end, each summary op that never reached it.",
        path=path,
        data={"files": [facts.path for facts in sound][:_LISTED], "events": events, "graphs": graphs},
    )


def no_files(path: str) -> Finding:
    """SW603 for a log directory without any event file."""
    return Finding(
        "SW603",
        "There is no event file here or below: TensorBoard will show nothing.",
        "Check the path, on the machine that wrote the run: event files have 'tfevents' in their names. "
        "A stock writer that was never flushed or closed may leave no file at all.",
        path=path,
        data={"files": []},
    )


def _span_of(facts: FileFacts) -> tuple[float, float]:
    """When its summaries were written. The version record's time is no help: TensorFlow stores it in whole seconds."""
    tags = facts.tags.values()
    return min(tag.first_time for tag in tags), max(tag.last_time for tag in tags)


def _at_once(one: FileFacts, other: FileFacts) -> bool:
    (first, last), (others_first, others_last) = _span_of(one), _span_of(other)
    return first < others_last and others_first < last


def written_at_once(files: Sequence[FileFacts]) -> bool:
    """Whether any of these files were written at the same time, and so by several writers."""
    until = -math.inf
    for first, last in sorted(_span_of(facts) for facts in files if facts.tags):
        if first < until:
            return True
        until = max(until, last)
    return False


@dataclass(frozen=True)
class _Overlap:
    """One tag in two files."""

    tag: str
    earlier: FileFacts
    later: FileFacts

    def as_dict(self) -> dict[str, Any]:
        return {
            "tag": self.tag,
            "files": [
                {
                    "path": facts.path,
                    "lowest_step": facts.tags[self.tag].lowest_step,
                    "highest_step": facts.tags[self.tag].highest_step,
                }
                for facts in (self.earlier, self.later)
            ],
        }

    def __str__(self) -> str:
        one, other = self.earlier.tags[self.tag], self.later.tags[self.tag]
        return f"{self.tag!r} (steps {_span(one)} and {_span(other)})"


def _span(tag: TagFacts) -> str:
    return f"{tag.lowest_step} to {tag.highest_step}" if tag.lowest_step != tag.highest_step else f"{tag.lowest_step}"


def _overlaps(path: str, in_order: Sequence[FileFacts]) -> Iterator[Finding]:
    """SW604: files that were written at the same time and hold a tag over the same steps."""
    overlaps: dict[str, _Overlap] = {}
    mixed: dict[str, None] = {}
    open_ones: list[FileFacts] = []
    for facts in in_order:
        open_ones = [other for other in open_ones if _at_once(other, facts)]
        for other in open_ones:
            for overlap in _shared(other, facts):
                overlaps.setdefault(overlap.tag, overlap)
                mixed.update({other.path: None, facts.path: None})
        open_ones.append(facts)
    if not overlaps:
        return
    yield Finding(
        "SW604",
        f"{len(mixed):,} files of this run were written at the same time and hold {_tags(len(overlaps))} over the "
        f"same steps: {listed(map(str, overlaps.values()), _NAMED)}. TensorBoard takes them for one run and hides "
        "or zigzags one.",
        "Give each writer a log directory of its own, such as os.path.join(logdir, f'worker{rank}'), or let one "
        "worker alone write summaries.",
        count=len(overlaps),
        path=path,
        data={
            "files": list(mixed)[:_LISTED],
            "tags": [overlap.as_dict() for overlap in list(overlaps.values())[:_LISTED]],
        },
    )


def _shared(one: FileFacts, other: FileFacts) -> Iterator[_Overlap]:
    fewer, more = (one, other) if len(one.tags) <= len(other.tags) else (other, one)
    for tag in fewer.tags:
        if tag in more.tags:
            first, second = one.tags[tag], other.tags[tag]
            meet = first.lowest_step <= second.highest_step and second.lowest_step <= first.highest_step
            if meet and max(first.highest_step, second.highest_step) > 0:
                yield _Overlap(tag, one, other)


def _earlier_runs(in_order: Sequence[FileFacts]) -> Iterator[Finding]:
    """SW107 at rest: a file, begun after another had ended, that writes a tag again at steps which that one reached."""
    reached: dict[str, FileFacts] = {}
    for facts in in_order:
        again = []
        for tag, here in facts.tags.items():
            earlier = reached.get(tag)
            if earlier is not None and not _at_once(earlier, facts) and _rewrites(earlier, facts, tag):
                again.append(_Overlap(tag, earlier, facts))
            if earlier is None or here.highest_step >= earlier.tags[tag].highest_step or facts.starts:
                reached[tag] = facts
        if again:
            yield _earlier_run(facts, again)


def _rewrites(earlier: FileFacts, facts: FileFacts, tag: str) -> bool:
    last, first = earlier.tags[tag].highest_step, facts.tags[tag].first_step
    return last > 0 and first <= last and not any(start <= first for start in facts.starts)


def _earlier_run(facts: FileFacts, again: Sequence[_Overlap]) -> Finding:
    earlier = sorted({overlap.earlier.path for overlap in again})
    names = ", ".join(os.path.basename(path) for path in earlier[:_NAMED])
    return Finding(
        "SW107",
        f"It writes {_tags(len(again))} again at steps that an earlier run in this directory ({names}) had reached: "
        f"{listed(map(str, again), _NAMED)}. TensorBoard takes both for one run and hides or zigzags one of them.",
        "Give each run a directory of its own. Where it goes on from a checkpoint at step N, create the writer with "
        "SafeFileWriter(logdir, resume_step=N): the file then asks TensorBoard to drop the overtaken points.",
        count=len(again),
        path=facts.path,
        data={"files": earlier[:_LISTED], "tags": [overlap.as_dict() for overlap in again[:_LISTED]]},
    )


def _tags(count: int) -> str:
    return "one tag" if count == 1 else plural(count, "tag")

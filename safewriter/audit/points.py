"""The points of one tag, read from the files of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from safewriter.audit.reading import number_of
from safewriter.audit.report import RunReport
from safewriter.audit.walking import open_event_file
from safewriter.checks.file import FileFacts
from safewriter.checks.values import kind_of
from safewriter.eventfile.messages import NotAnEventError, parse_event
from safewriter.eventfile.read import RecordReader


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a tag.

    Attributes:
        step: Its step.
        wall_time: When it was written, in seconds since 1970.
        value: The number; None where it is no scalar, or one in an encoding that is not read.
        kind: Its kind, as in ``TagFacts.kind``.
        file: The path of the event file that it is in.
        offset: Where its record starts in that file, in bytes.
        behind_damage: A damaged record stands before it in its file: TensorBoard does not get so far.
    """

    step: int
    wall_time: float
    value: float | None
    kind: str
    file: str
    offset: int
    behind_damage: bool


def series(run: RunReport, tag: str) -> Iterator[Point]:
    """The values of a tag, file by file as TensorBoard reads them, each file in its own order.

    The files are read anew. One that can't be read, or no longer, ends where it does: its audit says why.
    """
    for facts in run.files:
        try:
            yield from _of_file(facts, tag)
        except (OSError, ImportError):
            continue


def _of_file(facts: FileFacts, tag: str) -> Iterator[Point]:
    damage = min((damage.offset for damage in facts.damages), default=math.inf)
    mark = tag.encode("utf-8", "surrogatepass")
    known = facts.tags[tag].kind if tag in facts.tags else ""
    with open_event_file(facts.path) as file:
        reader = RecordReader(file)
        for offset, data in reader.placed():
            if mark not in data:
                continue
            try:
                event = parse_event(data)
            except NotAnEventError:
                continue
            for value in event.summary.value:
                if value.tag == tag:
                    kind = kind_of(value, value.WhichOneof("value"))
                    if kind in ("tensor", "unknown"):  # writers leave out the metadata of a tag that they know
                        kind = known or kind
                    number = number_of(value) if kind == "scalar" else None
                    behind = offset > damage or reader.damaged > 0
                    yield Point(event.step, event.wall_time, number, kind, facts.path, offset, behind)

"""What an audit found. Facts of files, merged as they come; findings, made from all of them together."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import safewriter
from safewriter.checks.file import FileFacts, TagFacts, judge_file, judge_run, no_files, written_at_once
from safewriter.findings import Finding, html

SCHEMA_VERSION = 1  #: of ``as_dict``; it grows when a key changes its meaning or goes, not when one is added


@dataclass(frozen=True, order=True)
class Problem:
    """A directory that can't be listed.

    Attributes:
        path: The directory.
        error: Why, in words.
        errno: The number of the error, or 0.
    """

    path: str
    error: str
    errno: int = 0

    def finding(self) -> Finding:
        """The same as a finding."""
        return Finding(
            "SW605",
            f"The directory can't be listed: {self.error}. What is in it was not read.",
            "Check that it is there and that you may read it, with `ls -ld`.",
            path=self.path,
            data={"errno": self.errno},
        )


@dataclass(frozen=True)
class RunReport:
    """One run: a directory with event files.

    Attributes:
        path: The directory.
        files: Its event files, by name.
    """

    path: str
    files: tuple[FileFacts, ...]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with its files, one by one and together."""
        alone = [finding for facts in self.files for finding in judge_file(facts)]
        return (*alone, *judge_run(self.path, self.files))

    @cached_property
    def tags(self) -> Mapping[str, TagFacts]:
        """By tag, what all files together hold of it."""
        together: dict[str, list[TagFacts]] = {}
        for facts in sorted(self.files, key=lambda facts: facts.first_time):
            for tag, here in facts.tags.items():
                together.setdefault(tag, []).append(here)
        return {tag: _joined(parts) if len(parts) > 1 else parts[0] for tag, parts in sorted(together.items())}

    @property
    def bytes(self) -> int:
        """Size of its files together."""
        return sum(facts.bytes for facts in self.files)

    @property
    def events(self) -> int:
        """Whole events in its files together."""
        return sum(facts.events for facts in self.files)

    @property
    def last_time(self) -> float:
        """Wall time of its latest event, in seconds since 1970."""
        return max((facts.last_time for facts in self.files), default=0.0)

    @property
    def mixed(self) -> bool:
        """Whether several of its files were written at the same time: by several writers."""
        return written_at_once(self.files)

    def as_dict(self) -> dict[str, Any]:
        """The run in values that JSON can hold."""
        return {
            "path": self.path,
            "bytes": self.bytes,
            "events": self.events,
            "mixed": self.mixed,
            "files": [_as_dict(facts) for facts in self.files],
            "tags": {tag: _as_dict(facts) for tag, facts in self.tags.items()},
            "findings": [finding.as_dict() for finding in self.findings],
        }


@dataclass(frozen=True)
class AuditReport:
    """What was read, and what is wrong with it.

    Reports of parts make the report of the whole: ``merge`` is associative and commutative, ``AuditReport()`` is its
    neutral element, and a file that is in two of them counts once. What files of one run have to do with each other is
    judged in the merged report.

    Attributes:
        files: Each event file, by path.
        empty: Log directories without any event file.
        problems: Directories that can't be listed.
        interrupted: The audit was broken off; what it had read is here.
    """

    files: tuple[FileFacts, ...] = ()
    empty: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    interrupted: bool = False

    def merge(self, *others: AuditReport) -> AuditReport:
        """One report for this and others. Many at once cost less than one after the other."""
        reports = (self, *others)
        return AuditReport(
            files=_one_each(facts for report in reports for facts in report.files),
            empty=tuple(sorted({path for report in reports for path in report.empty})),
            problems=tuple(sorted({problem for report in reports for problem in report.problems})),
            interrupted=any(report.interrupted for report in reports),
        )

    @cached_property
    def runs(self) -> tuple[RunReport, ...]:
        """By directory, in the order of their paths."""
        by_run: dict[str, list[FileFacts]] = {}
        for facts in self.files:
            by_run.setdefault(run_of(facts.path), []).append(facts)
        return tuple(RunReport(path, tuple(files)) for path, files in sorted(by_run.items()))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All that is wrong, run by run."""
        return (
            *(no_files(path) for path in self.empty),
            *(problem.finding() for problem in self.problems),
            *(finding for run in self.runs for finding in run.findings),
        )

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(facts.bytes for facts in self.files)

    @property
    def events(self) -> int:
        """Whole events in all files together."""
        return sum(facts.events for facts in self.files)

    @property
    def summaries(self) -> int:
        """Events with a summary in all files together."""
        return sum(facts.summaries for facts in self.files)

    def __getstate__(self) -> dict[str, Any]:
        # What is worked out from the fields is not worth the way to another process.
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    def _repr_html_(self) -> str:
        """The report as a notebook shows it: a table of its runs and one of its findings."""
        runs = [
            (
                run.path,
                len(run.files),
                f"{run.events:,}",
                f"{len(run.tags):,}",
                f"{run.bytes:,}",
                len(run.findings) or "",
            )
            for run in self.runs
        ]
        findings = [(each.path, f"{each.code} {each.name}", each.message, each.hint) for each in self.findings]
        return (
            html.tables(
                (("run", "files", "events", "tags", "bytes", "findings"), runs),
                (("where", "finding", "what is wrong", "hint"), findings),
            )
            or "<p>No event files, and no findings.</p>"
        )

    def as_dict(self, findings: Iterable[Finding] | None = None) -> dict[str, Any]:
        """The report in values that JSON can hold: the schema is in ``docs/audit.md``.

        Args:
            findings: Those to be shown; all where none are given.
        """
        shown = self.findings if findings is None else tuple(findings)
        runs = [run.as_dict() for run in self.runs]
        for run in runs:
            del run["findings"]  # they are listed once, with their paths
        return {
            "schema": SCHEMA_VERSION,
            "safewriter": safewriter.__version__,
            "interrupted": self.interrupted,
            "totals": {
                "runs": len(self.runs),
                "files": len(self.files),
                "bytes": self.bytes,
                "events": self.events,
                "summaries": self.summaries,
                "tags": sum(len(run.tags) for run in self.runs),
                "findings": len(shown),
            },
            "runs": runs,
            "findings": [finding.as_dict() for finding in shown],
        }


def run_of(path: str) -> str:
    """The directory of a file, of a local path or a URL."""
    cut = max(path.rfind("/"), path.rfind(os.sep))
    return path[:cut] if cut > 0 else path[: cut + 1] or "."


def _one_each(files: Iterable[FileFacts]) -> tuple[FileFacts, ...]:
    chosen: dict[str, FileFacts] = {}
    for facts in files:
        known = chosen.get(facts.path)
        if known is None or (known != facts and _rank(known) < _rank(facts)):
            chosen[facts.path] = facts
    return tuple(chosen[path] for path in sorted(chosen))


def _rank(facts: FileFacts) -> tuple[Any, ...]:
    """Of two reports on one file, the one that has read more; any order will do that does not depend on theirs."""
    return facts.complete, facts.events, facts.bytes, repr(facts)


def _joined(parts: list[TagFacts]) -> TagFacts:
    """One tag of several files, the earliest first."""
    first = parts[0]
    last = max(parts, key=lambda part: part.last_time)
    return replace(
        first,
        count=sum(part.count for part in parts),
        last_step=last.last_step,
        lowest_step=min(part.lowest_step for part in parts),
        highest_step=max(part.highest_step for part in parts),
        last_time=last.last_time,
        not_finite=sum(part.not_finite for part in parts),
        points=tuple(point for part in parts for point in part.points),
    )


_KEYS = {
    "versions": "version_records",
    "starts": "session_starts",
    "damaged": "damaged_places",
    "skipped": "bytes_skipped",
    "shown": "events_shown",
    "torn": "bytes_torn",
}
_INNER = ("begins", "tags", "damages", "errno", "values", "points")


def _as_dict(facts: FileFacts | TagFacts) -> dict[str, Any]:
    names = [each.name for each in fields(facts) if each.name not in _INNER]
    return {_KEYS.get(name, name): _plain(getattr(facts, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # JSON has no other numbers
    return list(value) if isinstance(value, tuple) else value

"""What a writer says of itself when it is asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from safewriter.checks.values import TagStats
from safewriter.findings import Finding, html


@dataclass(frozen=True)
class FileReport:
    """One event file of a writer.

    Attributes:
        path: Where it was created.
        bytes: Its size when last looked at.
        events: Accepted events that were written to it; its version record is not counted.
    """

    path: str
    bytes: int
    events: int


@dataclass(frozen=True)
class WriterReport:
    """What a writer has done so far.

    Attributes:
        logdir: The log directory, as it was passed.
        files: Each event file.
        created_at: ``file:line`` that created the writer.
        role: Who this process is among those of its run.
        summaries: ``add_summary`` calls that were accepted.
        events: All events that were accepted.
        landed: Events that were found on disk when the writer last looked (at each flush and close).
        pending: Accepted events that only memory holds (remote or slow storage): what a kill would lose.
        lost: Accepted events that can't land any more.
        tags: By tag: how many values, first and last step, how many were not finite.
        never_written: Summary ops of the writer's graphs that no writer got, each with the line that defined it.
        findings: What was reported, or ignored by nobody.
    """

    logdir: str
    files: tuple[FileReport, ...]
    created_at: str
    role: str
    summaries: int
    events: int
    landed: int
    pending: int
    lost: int
    tags: dict[str, TagStats]
    never_written: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report in values that JSON can hold."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        shown["files"] = [asdict(file) for file in self.files]
        shown["tags"] = {tag: stats.as_dict() for tag, stats in self.tags.items()}
        shown["never_written"] = [list(op) for op in self.never_written]
        shown["findings"] = [finding.as_dict() for finding in self.findings]
        return shown

    def _repr_html_(self) -> str:
        """The report as a notebook shows it: what became of the events, the tags, and the findings."""
        facts = [
            ("created at", self.created_at),
            ("summaries", f"{self.summaries:,}"),
            ("events", f"{self.events:,}"),
            ("landed", f"{self.landed:,}"),
            ("pending", f"{self.pending:,}"),
            ("lost", f"{self.lost:,}"),
        ]
        tags = [
            (tag, f"{stats.count:,}", stats.first_step, stats.last_step, stats.not_finite or "")
            for tag, stats in self.tags.items()
        ]
        findings = [(f"{each.code} {each.name}", each.message, each.hint) for each in self.findings]
        never = [(name, place, "never written") for name, place in self.never_written]
        return html.tables(
            (("log directory", self.logdir), facts),
            (("tag", "values", "first step", "last step", "not finite"), tags),
            (("summary op", "defined at", ""), never),
            (("finding", "what is wrong", "hint"), findings),
        )


WriterReport.__module__ = "safewriter"

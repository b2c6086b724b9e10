"""What the command prints, as plain text."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from safewriter.findings import Finding, select_codes
from safewriter.findings.wording import plural

if TYPE_CHECKING:
    from safewriter.audit import AuditReport

CLEAN, FINDINGS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130  #: exit codes

_LISTED = 5  # places, files or tags of a finding that are listed beneath it


class WrongUseError(Exception):
    """The command can't do what it was asked for; the message says why."""


def codes_argument(text: str) -> frozenset[str]:
    """The codes that an argument of the command line means."""
    try:
        chosen = select_codes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not chosen:
        raise argparse.ArgumentTypeError("no code is named")
    return chosen


def lines_of(findings: Iterable[Finding], hints: bool) -> Iterator[list[tuple[str, str]]]:
    """Findings line by line: each line in pieces, with the style that a terminal gives to each."""
    for finding in findings:
        code = (f"{finding.code} {finding.name}", "bold red")
        yield [(shown(finding.path or ""), "bold"), (": ", ""), code, (f": {finding.message}", "")]
        for line in _evidence(finding):
            yield [(f"    {line}", "dim")]
        if hints and finding.hint:
            yield [("    Hint: ", "bold green"), (finding.hint, "")]


def _evidence(finding: Finding) -> Iterator[str]:
    """The data of a finding as lines: numbers in one, then places, files and tags, a line each."""
    data = finding.data
    numbers = [f"{name.replace('_', ' ')}: {value}" for name, value in data.items() if isinstance(value, (int, float))]
    if numbers:
        yield ", ".join(numbers)
    for place in data.get("places", [])[:_LISTED]:
        yield f"at byte {place['offset']:,}: {place['reason']}; {place['bytes']:,} bytes to the next whole record"
    for path in data.get("files", [])[:_LISTED]:
        yield f"file {shown(path)}"
    tags = data.get("tags", [])
    for tag in tags[:_LISTED]:
        yield f"tag {tag['tag']!r}" if isinstance(tag, dict) else f"tag {tag!r}"
    if len(tags) > _LISTED:
        yield f"and {len(tags) - _LISTED:,} more tags"


def total(report: AuditReport, findings: int) -> str:
    """The last line: what was read, and how many findings there are."""
    tags = sum(len(run.tags) for run in report.runs)
    text = (
        f"{plural(len(report.runs), 'run')}, {plural(len(report.files), 'file')}, {plural(report.events, 'event')}, "
        f"{plural(tags, 'tag')}: {plural(findings, 'finding') if findings else 'nothing is wrong'}."
    )
    return f"Interrupted. What was read so far: {text}" if report.interrupted else text


def shown(text: str) -> str:
    """A path as it can be printed: what is no letter of any kind, such as a line break, is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )

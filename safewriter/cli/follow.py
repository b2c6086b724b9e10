"""``safewriter audit --follow``: what changes in a log directory, a line each, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from safewriter.cli.text import CLEAN, FINDINGS, shown, total
from safewriter.findings.wording import plural

if TYPE_CHECKING:
    from safewriter.audit import Audit, AuditReport
    from safewriter.findings import Finding


def follow(audit: Audit, codes: Collection[str], interval: float, hints: bool) -> int:
    """Prints what is found, then what changes; returns the exit code of a plain audit of what is there at Ctrl-C.

    The first round of the audit is done, and so many seconds pass between two.
    """
    from safewriter.audit import AuditReport

    before, report = AuditReport(), audit.report()
    try:
        while True:
            if report is not before:
                for line in changes(before, report, codes, hints):
                    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
            before = report
            time.sleep(interval)
            report = audit.update()
    except KeyboardInterrupt:
        findings = sum(finding.code in codes for finding in report.findings)
        print(total(report, findings), flush=True)
        return FINDINGS if findings else CLEAN


def changes(before: AuditReport, now: AuditReport, codes: Collection[str], hints: bool) -> Iterator[str]:
    """What is new in a report: the runs in one line, then a line for each finding that came or went."""
    runs = {run.path: run for run in before.runs}
    appeared = sum(run.path not in runs for run in now.runs)
    changed = sum(run.path in runs and runs[run.path] is not run for run in now.runs)
    gone = len(runs) + appeared - len(now.runs)
    counts = ((appeared, "appeared"), (changed, "changed"), (gone, "gone"))
    parts = [f"{plural(count, 'run')} {what}" for count, what in counts if count]
    events = now.events - before.events
    if parts:
        yield f"{', '.join(parts)}; {plural(now.events, 'event')} ({events:+,})"
    old, new = _by_subject(before, codes), _by_subject(now, codes)
    for key in [key for key in old if key not in new]:
        yield f"gone: {_named(old[key])}"
    for key in [key for key in new if key not in old]:
        hint = f" Hint: {new[key].hint}" if hints and new[key].hint else ""
        yield f"new: {_named(new[key])}: {shown(new[key].message)}{hint}"


def _by_subject(report: AuditReport, codes: Collection[str]) -> dict[tuple[str, str, str | None], Finding]:
    """The findings by what they are about: one whose numbers grow is the same finding."""
    return {(each.code, each.subject, each.path): each for each in report.findings if each.code in codes}


def _named(finding: Finding) -> str:
    return f"{shown(finding.path or '')}: {finding.code} {finding.name}"

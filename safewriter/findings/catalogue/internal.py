"""SW9xx: safewriter itself."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW901",
        name="internal",
        kind=Kind.WARNING,
        when="A check of safewriter's own failed: traceback, and the event still went its way",
    ),
)

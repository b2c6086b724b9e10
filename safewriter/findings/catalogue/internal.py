"""SW9xx: safewriter itself."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW901",
        name="internal",
        kind=Kind.WARNING,
        when="A check of safewriter's own failed: the traceback is reported, and the event still went its way.",
        why=(
            "A tool against silent loss must not fail in silence, nor break the training that it watches. One check "
            "was skipped; nothing that was added is lost. There is no program here: one that provokes this would show "
            "a fault that ought to be fixed instead."
        ),
        fix=(
            "Please report it with the lines of the message. Until it is fixed, `SAFEWRITER_IGNORE=SW901` or "
            '`ignore=("SW901",)` silences it.'
        ),
    ),
)

"""SW6xx: event files at rest."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW601",
        name="torn-tail",
        kind=Kind.FINDING,
        when="The file ends inside a record: offset, events before it",
    ),
    Code(
        code="SW602",
        name="corrupt-record",
        kind=Kind.FINDING,
        when="Checksum or framing is wrong: offset, events that TensorBoard will not show",
    ),
    Code(
        code="SW603",
        name="no-summaries",
        kind=Kind.FINDING,
        when="A header, perhaps a graph, no summary",
    ),
    Code(
        code="SW604",
        name="overlapping-files",
        kind=Kind.FINDING,
        when="Files of one run write the same tag over the same steps",
    ),
    Code(
        code="SW605",
        name="not-an-event-file",
        kind=Kind.FINDING,
        when="No version record first",
    ),
)

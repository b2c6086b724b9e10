"""SW5xx: the way to the disk."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW501",
        name="never-flushed",
        kind=Kind.WARNING,
        when="Neither flushed nor closed when the program ended (safewriter saved the events; FileWriter would not have)",
    ),
    Code(
        code="SW502",
        name="events-lost",
        kind=Kind.WARNING,
        when="A write failed: how many, errno, file",
    ),
    Code(
        code="SW503",
        name="event-file-gone",
        kind=Kind.WARNING,
        when="Deleted, replaced or truncated under the writer; writing goes on in a new file; how many landed events went with it",
    ),
    Code(
        code="SW504",
        name="used-after-close",
        kind=Kind.WARNING,
        when="Add after close: n events dropped",
    ),
    Code(
        code="SW505",
        name="used-after-fork",
        kind=Kind.WARNING,
        when="A forked child writes: it goes on in a file of its own",
    ),
    Code(
        code="SW506",
        name="too-many-writers",
        kind=Kind.WARNING,
        when="More than 32 writers of this process are open: descriptors leak, usually one writer per step or per epoch",
    ),
)

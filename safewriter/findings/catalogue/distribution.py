"""SW2xx: distributed training."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW201",
        name="writer-in-strategy-scope",
        kind=Kind.WARNING,
        when="Created inside ``strategy.scope()``, also when a graph was entered in between",
    ),
    Code(
        code="SW202",
        name="writer-in-replica",
        kind=Kind.WARNING,
        when="Created in a replica function or while a ``tf.function`` is traced: it exists once per trace, not per step",
    ),
    Code(
        code="SW203",
        name="logdir-shared-by-processes",
        kind=Kind.WARNING,
        when="Another live process, here or on another host, writes event files into this directory; names host, pid and, where known, the ranks",
    ),
    Code(
        code="SW204",
        name="logdir-shared-by-writers",
        kind=Kind.WARNING,
        when="Two open writers of this process on one directory (after resolving links)",
    ),
)

"""SW3xx: summary ops."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW301",
        name="summaries-never-merged",
        kind=Kind.WARNING,
        when="Ops are defined, no merge op holds them, none was written",
    ),
    Code(
        code="SW302",
        name="summaries-never-written",
        kind=Kind.WARNING,
        when="Merged, but the merged value never reached ``add_summary``",
    ),
    Code(
        code="SW303",
        name="summary-not-in-merge",
        kind=Kind.WARNING,
        when="Others of the graph are written, this one was defined after the merge or in another collection",
    ),
    Code(
        code="SW304",
        name="summaries-defined-in-loop",
        kind=Kind.WARNING,
        when="The number of summary ops grows between adds (``loss_1``, ``loss_2``, …)",
    ),
    Code(
        code="SW305",
        name="not-a-summary",
        kind=Kind.ERROR,
        when="``add_summary`` got a Tensor (run it first), None (merge_all found nothing), a list, a str, corrupt bytes…",
    ),
    Code(
        code="SW306",
        name="empty-summary",
        kind=Kind.WARNING,
        when="A summary with no values",
    ),
)

"""What ``safewriter audit`` draws on a terminal: a table by run, with a sparkline per scalar tag."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from safewriter.audit.report import run_of
from safewriter.cli.text import shown
from safewriter.findings import Finding

if TYPE_CHECKING:
    from safewriter.audit import AuditReport, RunReport

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 100  # columns from which on there is room for sparklines
_RUNS = 100  # rows beyond these scroll away
_TAGS = 12
_WIDTH = 24  # of a sparkline


def sparkline(points: Sequence[float]) -> str:
    """Numbers as a line of bars, the lowest the shortest."""
    if len(points) > _WIDTH:
        points = [points[index * len(points) // _WIDTH] for index in range(_WIDTH)]
    low, high = min(points, default=0.0), max(points, default=0.0)
    if low == high:
        return _BARS[0] * len(points)
    # Halved, because the distance of two finite numbers can be infinite.
    return "".join(
        _BARS[int((point / 2 - low / 2) / (high / 2 - low / 2) * (len(_BARS) - 1) + 0.5)] for point in points
    )


def runs_table(report: AuditReport, findings: Sequence[Finding], width: int, bars: bool) -> Table:
    """The runs of a report, and their scalar tags where the terminal has the columns, and can show bars."""
    wide = bars and width >= _WIDE
    paths = {facts.path for facts in report.files}
    count = Counter(
        run_of(finding.path) if finding.path in paths else finding.path for finding in findings if finding.path
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for name in ("files", "events", "steps", "size"):
        table.add_column(name, justify="right")
    table.add_column("last event")
    table.add_column("findings", justify="right")
    if wide:
        table.add_column("values", no_wrap=True, min_width=_WIDTH)
    for run in report.runs[:_RUNS]:
        _add_run(table, run, count[run.path], wide)
    if len(report.runs) > _RUNS:
        table.add_row(Text(f"and {len(report.runs) - _RUNS:,} runs more", style="dim"))
    return table


def _add_run(table: Table, run: RunReport, findings: int, wide: bool) -> None:
    steps = [tag.highest_step for tag in run.tags.values()]
    table.add_row(
        Text(shown(run.path), style="bold"),
        f"{len(run.files):,}",
        f"{run.events:,}",
        f"{max(steps):,}" if steps else "",
        decimal(run.bytes),
        _when(run.last_time),
        Text(f"{findings:,}" if findings else "", style="bold red"),
    )
    if not wide:
        return
    scalars = [(tag, facts) for tag, facts in run.tags.items() if facts.points]
    for tag, facts in scalars[:_TAGS]:
        span = f"{facts.lowest_step:,}-{facts.highest_step:,}"
        line = Text(sparkline(facts.points), style="cyan")
        table.add_row(Text(f"  {shown(tag)}"), "", f"{facts.count:,}", span, "", "", "", line)
    if len(scalars) > _TAGS:
        table.add_row(Text(f"  and {len(scalars) - _TAGS:,} tags more", style="dim"))


def _when(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else ""
    except (OverflowError, OSError, ValueError):  # a time that no calendar holds
        return ""

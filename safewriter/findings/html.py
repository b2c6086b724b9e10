"""Tables for notebooks. Names of runs and tags are anybody's text: nothing reaches the page unescaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

_ROWS = 100  # of a table


def text(value: object) -> str:
    """A value as text that a page shows and does not interpret, also where a file name is no UTF-8."""
    return html.escape(str(value).encode("utf-8", "backslashreplace").decode())


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Rows as a table; every cell is escaped."""
    head = "".join(f"<th>{text(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def tables(*given: tuple[Sequence[object], Sequence[Sequence[object]]]) -> str:
    """A table for each header with rows; of many rows the first."""
    return "".join(
        table(header, rows[:_ROWS]) + (f"<p>and {len(rows) - _ROWS:,} more</p>" if len(rows) > _ROWS else "")
        for header, rows in given
        if rows
    )

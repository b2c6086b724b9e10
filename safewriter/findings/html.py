"""Tables for notebooks. Names of runs and tags are anybody's text: nothing reaches the page unescaped."""

from __future__ import annotations

import html
from collections.abc import Sequence

_ROWS = 100  # of a table


def text(value: object) -> str:
    """A value as text that a page shows and does not interpret, also where a file name is no UTF-8."""
    return html.escape(str(value).encode("utf-8", "backslashreplace").decode())


def tables(*given: tuple[Sequence[object], Sequence[Sequence[object]]]) -> str:
    """A table for each header with rows; of many rows the first. Every cell is escaped."""
    page = ""
    for header, rows in given:
        if rows:
            head = "".join(f"<th>{text(cell)}</th>" for cell in header)
            body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows[:_ROWS])
            page += f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            page += f"<p>and {len(rows) - _ROWS:,} more</p>" if len(rows) > _ROWS else ""
    return page

"""Words that the messages of all judges share."""

from __future__ import annotations


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 event``, ``2 events``, ``1,000 events``; ``2 summaries`` where the plural is given."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or noun + 's'}"


def were(count: int) -> str:
    """``was`` for one, ``were`` for several."""
    return "was" if count == 1 else "were"

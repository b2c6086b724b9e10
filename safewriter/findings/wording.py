"""Words that the messages of all judges share."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 event``, ``2 events``, ``1,000 events``; ``2 summaries`` where the plural is given."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or noun + 's'}"


def listed(texts: Iterable[str], most: int) -> str:
    """``a, b``; ``a, b and 3 more`` where there are more than are to be named."""
    texts = list(texts)
    shown = ", ".join(texts[:most])
    return f"{shown} and {len(texts) - most:,} more" if len(texts) > most else shown


def were(count: int) -> str:
    """``was`` for one, ``were`` for several."""
    return "was" if count == 1 else "were"

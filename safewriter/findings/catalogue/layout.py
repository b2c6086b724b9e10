"""How the catalogue's programs are written: indented beside their entry, kept as a user would type them."""

from __future__ import annotations

import textwrap


def program(text: str) -> str:
    """A program without the indentation that it has in the catalogue, ending with one newline."""
    return textwrap.dedent(text).strip() + "\n"

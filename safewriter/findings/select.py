"""Which codes a user means by ``"SW402"``, ``"no-step"`` or ``"SW4"``."""

from __future__ import annotations

from collections.abc import Iterable

from safewriter.findings.catalogue import CATALOGUE


def select_codes(selectors: str | Iterable[str]) -> frozenset[str]:
    """The codes meant by codes, names and code prefixes.

    Args:
        selectors: One of them, several with commas between, or an iterable of such strings.

    Raises:
        ValueError: One means no code at all; the message lists the right ones.
    """
    if isinstance(selectors, str):
        selectors = (selectors,)
    words = [word.strip() for text in selectors for word in str(text).split(",")]
    chosen: set[str] = set()
    for word in filter(None, words):
        matches = {
            code
            for code, entry in CATALOGUE.items()
            if entry.name == word.lower() or (word.upper().startswith("SW") and code.startswith(word.upper()))
        }
        if not matches:
            known = ", ".join(f"{code} {entry.name}" for code, entry in CATALOGUE.items())
            raise ValueError(
                f"{word!r} is no code, name or code prefix of safewriter. Use one of {known}; or a prefix such as SW4."
            )
        chosen |= matches
    return frozenset(chosen)

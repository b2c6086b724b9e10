"""Attributes of other packages that are replaced for a while, and how each gets its own back."""

from __future__ import annotations

from typing import Any

_ABSENT = object()


class Patches:
    """Replaced attributes, in the order in which they were replaced."""

    def __init__(self) -> None:
        self._done: list[tuple[Any, str, Any, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Replaces an attribute that an owner, a module or a class, has in its own namespace or inherits.

        Args:
            owner: Whose attribute it is.
            name: The attribute's.
            value: What takes its place.
        """
        before = vars(owner).get(name, _ABSENT)
        setattr(owner, name, value)
        self._done.append((owner, name, before, value))

    def undo(self) -> None:
        """Gives each attribute back, the last one first, but those that somebody else has replaced since."""
        while self._done:
            owner, name, before, value = self._done.pop()
            if vars(owner).get(name, _ABSENT) is not value:
                continue
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

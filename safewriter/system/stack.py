"""The calls that are under way in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those of its callers, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back

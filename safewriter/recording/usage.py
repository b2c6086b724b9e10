"""How ``tf.summary`` is used in this process, as far as it is watched: noted by ``install()``, asked by TF2 writers."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from safewriter.findings import Place

if TYPE_CHECKING:
    from safewriter.recording.eager import EagerEvents

#: By tag: the line that writes it in a function whose step was a Python number when it was traced.
baked_steps: dict[str, Place] = {}
#: Writers that a function was traced under, each with the line of a summary in it.
traced_under: weakref.WeakKeyDictionary[EagerEvents, Place] = weakref.WeakKeyDictionary()


def grown() -> dict[EagerEvents, tuple[int, int]]:
    """Of each writer that a function was traced under: the bytes of its file, and how often it was the default."""
    sizes: dict[EagerEvents, tuple[int, int]] = {}
    for events in list(traced_under):
        sizes[events] = (events.backend.size, events.entered)
    return sizes

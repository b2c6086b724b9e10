"""The tags that TensorFlow's own writers wrote, beside ours: in hooks, or in a program that was migrated by half.

Each of them keeps a set of the tags that it wrote. A writer of a function's is gone before the program ends,
so every one is noted when it is created: that costs nothing per add.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
import weakref
from typing import Any

import tensorflow as tf
from tensorflow.python.summary.writer.writer import SummaryToEventTransformer

_moments = itertools.count(1)
_ours: tuple[type, ...] = ()
_searched = False


class _Writer(weakref.ref[Any]):
    """A writer of TensorFlow's, and its tags, which outlive it."""

    __slots__ = ("moment", "tags")
    moment: int
    tags: set[str]


_alive: dict[int, _Writer] = {}
_gone: dict[str, int] = {}  #: tags of writers that are gone, each with the moment when the last of them went


def watch(ours: type) -> None:
    """Notes each writer of TensorFlow's that is created from now on.

    Args:
        ours: The class of safewriter's own writers, which are left out.
    """
    global _ours
    wrapped = bool(_ours)
    _ours = (*_ours, ours)
    if wrapped:
        return
    original = SummaryToEventTransformer.__init__

    @functools.wraps(original)
    def noting(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        if not isinstance(self, _ours):
            _note(self)

    SummaryToEventTransformer.__init__ = noting


class StockTags:
    """Returns the tags that TensorFlow's writers wrote: those alive, and those gone since this object was made."""

    def __init__(self) -> None:
        self._since = next(_moments)

    def __call__(self) -> set[str]:
        """The tags as of now; slow the first time."""
        _search()
        tags = {tag for tag, moment in list(_gone.items()) if moment > self._since}
        return tags.union(*(writer.tags for writer in list(_alive.values())))


def _note(writer: Any) -> None:
    tags = getattr(writer, "_seen_summary_tags", None)
    if isinstance(tags, set):
        noted = _Writer(writer, _bury)
        noted.moment, noted.tags = next(_moments), tags
        _alive[noted.moment] = noted


def _bury(writer: _Writer) -> None:
    moment = next(_moments)
    for tag in writer.tags:
        _gone[tag] = moment
    _alive.pop(writer.moment, None)


def _search() -> None:
    """Finds, once, the writers that were created before ``watch``."""
    global _searched
    if _searched:
        return
    _searched = True
    noted = {id(writer()) for writer in list(_alive.values())}
    for each in gc.get_objects():
        kind = type(each)  # not isinstance, which asks proxies and lazy modules what they stand for
        if issubclass(kind, SummaryToEventTransformer) and not issubclass(kind, _ours) and id(each) not in noted:
            _note(each)


def beside(directory: str) -> bool | None:
    """Whether an open writer of TensorFlow's own is on a local directory, links resolved.

    Returns:
        None where there is none; else whether it is one of ``FileWriterCache``.
    """
    cached = list(getattr(tf.compat.v1.summary.FileWriterCache, "_cache", {}).values())
    alive = [noted() for noted in list(_alive.values())]
    for writer in (*cached, *alive):
        if writer is None or isinstance(writer, _ours) or getattr(writer, "_closed", True):
            continue
        if os.path.realpath(os.fsdecode(writer.get_logdir())) == directory:
            return any(writer is each for each in cached)
    return None

"""``tf.compat.v1.summary.FileWriter``, made a ``SafeFileWriter`` at the moment of its construction.

The name can't be bound to another class: the stock class's own methods say ``super(FileWriter, self)``, and programs
hold the class itself by then. So only its constructor is replaced, which gives the new object its other class.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from tensorflow.python.summary.writer.writer import FileWriter

from safewriter.patching.patches import Patches
from safewriter.writer import SafeFileWriter

_joined: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()


def replace(patches: Patches, options: Callable[[], dict[str, Any] | None]) -> None:
    """Replaces the constructor.

    Args:
        patches: Undo it.
        options: Gives what writers are created with; None once that is over.
    """
    original = FileWriter.__init__

    @functools.wraps(original)
    def construct(self: Any, *args: Any, **keywords: Any) -> None:
        chosen = options()
        if chosen is None or isinstance(self, SafeFileWriter) or not _become_safe(self):
            original(self, *args, **keywords)
        else:
            SafeFileWriter.__init__(self, *args, **{**chosen, **keywords})

    patches.set(FileWriter, "__init__", construct)


def _become_safe(writer: Any) -> bool:
    """Gives a new writer its other class; False where its class forbids that."""
    kind = type(writer)
    try:
        writer.__class__ = SafeFileWriter if kind is FileWriter else _with_safe(kind)
    except TypeError:  # a class of fixed layout, or one that forbids subclasses
        return False
    return True


def _with_safe(kind: type) -> type:
    """A program's own subclass of ``FileWriter``, with ``SafeFileWriter`` between the two."""
    joined = _joined.get(kind)
    if joined is None:
        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        joined = _joined[kind] = type(kind)(kind.__name__, (kind, SafeFileWriter), names)
    return joined

"""Whose line it was: the innermost frame that is neither ours nor a framework's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_FRAMEWORKS = tuple(
    os.sep + os.path.join(packages, name, "")
    for packages in ("site-packages", "dist-packages")
    for name in ("tensorflow", "tensorflow_estimator", "keras", "tf_keras", "tensorboard")
)
_GENERATED = "__autograph_generated_file"  # what tf.function makes of a user's function, in a temporary directory
_STDLIB = os.path.dirname(os.__file__)
_PLUMBING = ("contextlib.py", "threading.py", "functools.py")


@dataclass(frozen=True)
class Place:
    """A line of the user's program, with what ``warnings.warn_explicit`` needs to point there."""

    filename: str
    lineno: int
    module: str = "__main__"
    registry: dict[Any, Any] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.shown}:{self.lineno}"

    @property
    def shown(self) -> str:
        """The file name as a user would write it: relative where it lies below the working directory."""
        try:
            relative = os.path.relpath(self.filename)
        except (OSError, ValueError):  # the working directory is gone, or on another drive
            return self.filename
        return self.filename if relative.startswith(os.pardir) else relative


UNKNOWN = Place("<unknown>", 1)


def is_users(filename: str) -> bool:
    """Whether a source file belongs to the user: not to safewriter, TensorFlow, Keras or TensorBoard."""
    if filename.startswith(_OURS) or _GENERATED in filename or any(part in filename for part in _FRAMEWORKS):
        return False
    if filename.startswith("<frozen"):
        return False
    return os.path.basename(filename) not in _PLUMBING or os.path.dirname(filename) != _STDLIB


def users_place(get_frame: Callable[[int], FrameType] = sys._getframe) -> Place:
    """The line of the user's program from which this call came.

    Args:
        get_frame: Where frames come from; a parameter so that tests need no real stack.

    Returns:
        The innermost place that is the user's, or the outermost one where none is.
    """
    try:
        frame: FrameType | None = get_frame(1)
    except ValueError:
        return UNKNOWN
    outermost = None
    while frame is not None:
        outermost = frame
        if is_users(frame.f_code.co_filename):
            break
        if _GENERATED in frame.f_code.co_filename and (place := _behind_generated_code()):
            return place
        frame = frame.f_back
    frame = frame or outermost
    if frame is None:
        return UNKNOWN
    return Place(
        frame.f_code.co_filename,
        frame.f_lineno or 1,
        frame.f_globals.get("__name__", "__main__"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _behind_generated_code() -> Place | None:
    """The user's line behind the line of generated code that is running: TensorFlow keeps the map."""
    try:
        frames = sys.modules["tensorflow.python.util.tf_stack"].extract_stack()
        pairs = [(str(frame.filename), int(frame.lineno)) for frame in frames]
    except Exception:  # noqa: BLE001 - a private module: without it, the line that called the function is reported
        return None
    place = users_line(pairs)
    return place if is_users(place.filename) else None


def users_line(frames: Iterable[tuple[str, int]]) -> Place:
    """The innermost of these ``(filename, line)`` pairs, outermost first, that is the user's."""
    pairs = list(frames)
    for filename, lineno in reversed(pairs):
        if is_users(filename):
            return Place(filename, lineno)
    return Place(*pairs[-1]) if pairs else UNKNOWN

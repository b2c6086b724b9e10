"""Whose line it was: the innermost frame that is neither ours nor a framework's."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_FRAMEWORKS = tuple(
    os.sep + os.path.join(packages, name, "")
    for packages in ("site-packages", "dist-packages")
    for name in ("tensorflow", "tensorflow_estimator", "keras", "tf_keras", "tensorboard")
)
_KERAS = tuple(
    os.sep + os.path.join(packages, name, "")
    for packages in ("site-packages", "dist-packages")
    for name in ("keras", "tf_keras")
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
    ours = filename.startswith((_OURS, "<frozen"))
    if ours or _GENERATED in filename or any(part in filename for part in _FRAMEWORKS):
        return False
    return os.path.basename(filename) not in _PLUMBING or os.path.dirname(filename) != _STDLIB


def is_keras(filename: str) -> bool:
    """Whether a source file is one of Keras'."""
    return any(part in filename for part in _KERAS)


def is_generated(filename: str) -> bool:
    """Whether ``tf.function`` has made a source file of the user's code."""
    return _GENERATED in filename


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
        if _GENERATED in frame.f_code.co_filename and (place := _behind_generated_code(frame)):
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


def _behind_generated_code(frame: FrameType) -> Place | None:
    """The user's line behind the line of generated code that is running: TensorFlow keeps the map."""
    try:
        frames = sys.modules["tensorflow.python.util.tf_stack"].extract_stack()
        place = users_line([(str(each.filename), int(each.lineno)) for each in frames])
        if not is_users(place.filename):  # a replica's thread does not look into the map
            place = _by_its_map(frame)
    except Exception:  # noqa: BLE001 - private ways: without them, the line that called the function is reported
        return None
    return place if is_users(place.filename) else None


def _by_its_map(frame: FrameType) -> Place:
    """The same from the maps that the maker of the generated code keeps."""
    cache = sys.modules["tensorflow.python.autograph.impl.api"]._TRANSPILER._cache._cache
    generated = frame.f_code.co_filename
    for made in [each for variants in list(cache.values()) for each in variants.values()]:
        if getattr(made.module, "__file__", None) == generated:
            for line, origin in made.source_map.items():
                if line.lineno == frame.f_lineno:
                    return Place(str(origin.loc.filename), int(origin.loc.lineno))
    return UNKNOWN


def is_a_handlers(error: BaseException) -> bool:
    """Whether a signal handler raised an exception, in the middle of what was being done: then it is the program's.

    A handler is known by the frame that it interrupts, which it is called with. Nothing of ours passes its own on.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        interrupted, trace = trace.tb_frame, trace.tb_next
        for value in _arguments(trace.tb_frame):
            if any(each is interrupted for each in (value if type(value) is tuple else (value,))):
                return True
    return False


def _arguments(frame: FrameType) -> Iterator[Any]:
    """What a function was called with; one that takes any number of them has them as a tuple."""
    code, values = frame.f_code, frame.f_locals
    count = code.co_argcount + bool(code.co_flags & inspect.CO_VARARGS) + code.co_kwonlyargcount
    return (values[name] for name in code.co_varnames[:count] if name in values)


def users_line(frames: Iterable[tuple[str, int]]) -> Place:
    """The innermost of these ``(filename, line)`` pairs, outermost first, that is the user's."""
    pairs = list(frames)
    for filename, lineno in reversed(pairs):
        if is_users(filename):
            return Place(filename, lineno)
    return Place(*pairs[-1]) if pairs else UNKNOWN

"""Every summary writer of a program, without an edit: ``safewriter.install()``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from safewriter.patching.imports import AfterImport
from safewriter.patching.patches import Patches

_installed: list[Installation] = []  # each `install()` that was not undone, the newest last
_patches = Patches()
_finder = AfterImport("tensorflow", lambda: _replace())


class Installation:
    """What ``install()`` returns. As a context manager it ends with the block."""

    def __init__(self, strict: bool, ignore: str | Iterable[str]) -> None:
        self.options: dict[str, Any] = {"strict": strict, "ignore": ignore}

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _end(self)


def install(*, strict: bool = False, ignore: str | Iterable[str] = ()) -> Installation:
    """Makes each summary writer that the program creates from now on one of safewriter's.

    It holds for ``tf.compat.v1.summary.FileWriter`` and its subclasses, ``FileWriterCache``, and the writers of
    TensorFlow's own hooks, sessions and estimators, and for what TF2's ``tf.summary.create_file_writer`` gives, in
    Keras' callback too, whichever name they were imported under, before or after. Each call of ``tf.summary.write`` is
    looked at, for summaries that go nowhere. TensorFlow is not imported by this call. Writers that exist already stay
    as they are.

    Args:
        strict: See ``SafeFileWriter``; for all writers.
        ignore: See ``SafeFileWriter``; for all writers.

    Returns:
        A context manager that undoes it. A call within another one's reach sets other options until it is undone.

    Raises:
        ValueError: An unknown code in ``ignore``; the message lists the right ones.
    """
    from safewriter.findings import Policy

    ignored = tuple(sorted(Policy.of(strict, ignore).ignored))
    return _begin(Installation(strict, ignored))


def install_for_run() -> None:
    """The same for a process of ``safewriter run``, whose options are in the environment."""
    _begin(Installation(False, ()))


def uninstall() -> None:
    """Undoes ``install()``, however often it was called: TensorFlow's own names stand for its own classes again.

    Writers that were created meanwhile stay safewriter's.
    """
    while _installed:
        _end(_installed[-1])


def options() -> dict[str, Any] | None:
    """What the writers of an installation are created with; None where there is none."""
    return _installed[-1].options if _installed else None


def _begin(installation: Installation) -> Installation:
    _installed.append(installation)
    if len(_installed) == 1:
        if "tensorflow" in sys.modules:
            _replace()
        else:
            sys.meta_path.insert(0, _finder)
    return installation


def _end(installation: Installation) -> None:
    if installation in _installed:
        _installed.remove(installation)
    if not _installed:
        if _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
        _patches.undo()


def _replace() -> None:
    """TensorFlow is there: replaces what creates writers in it."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    if not _installed:
        return
    from safewriter.patching import v1, v2

    v1.replace(_patches, options)
    v2.replace(_patches, options)

"""How the program ends: in the normal way, or broken off by an exception or a status that says so.

Python says nothing of that to an exit hook. It is worked out here from what is left behind: the exception that was
printed, the instruction at which the main module stopped, and the status that was passed to ``sys.exit``.
"""

from __future__ import annotations

import dis
import functools
import sys
import threading
from _sitebuiltins import Quitter  # the class of ``exit`` and ``quit``
from collections.abc import Callable
from types import FrameType
from typing import Any

from safewriter.system import process
from safewriter.system.stack import outwards

_UNKNOWN = object()
#: What the bytecode of ``raise SystemExit(0)`` has between its parts; it differs from version to version.
_FILLERS = frozenset(("PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG"))


class _Watch:
    """What was seen when the watch began, and the last exit status since."""

    def __init__(self) -> None:
        self.frame = _main_frame()
        self.printed = id(_printed_exception())
        self.handled = id(sys.exc_info()[1])  #: an exception that was being handled then, or when a fork was made
        self.status: object = _UNKNOWN
        self._wrap(sys, "exit", skip=0)
        self._wrap(Quitter, "__call__", skip=1)

    def _wrap(self, owner: Any, name: str, skip: int) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        def noting(*args: Any, **options: Any) -> Any:
            self.status = [*args[skip:], *options.values(), None][0]
            return original(*args, **options)

        setattr(owner, name, noting)

    def after_fork(self) -> None:
        self.frame = _main_frame()
        self.handled = id(sys.exc_info()[1])


_watch: _Watch | None = None


def watch() -> None:
    """Begins to watch how the program ends; a second call does nothing."""
    global _watch
    if _watch is None:
        _watch = _Watch()


def breaks_off(error: BaseException | None) -> bool:
    """Whether an exception that leaves a block, or the program, says that the work in it was broken off."""
    if isinstance(error, SystemExit):
        if _watch is not None:
            _watch.status = error.code
        return not _is_success(error.code)
    return error is not None and not isinstance(error, GeneratorExit)


def broken_off() -> bool:
    """Whether the program was broken off; to be asked by an exit hook. Where nothing is known it was not."""
    if _watch is None:
        return False
    error = sys.exc_info()[1]
    if error is not None and id(error) != _watch.handled:  # multiprocessing runs finalizers while it leaves
        return breaks_off(error)
    frame = _watch.frame
    worker = _workers_status()
    if worker is not _UNKNOWN:
        return not _is_success(worker)
    if frame is not None and any(caller is frame for caller in outwards(sys._getframe(1))):
        return False
    if id(_printed_exception()) != _watch.printed:
        return True
    if frame is None or _opname(frame).startswith("RETURN_"):
        return False
    if _watch.status is not _UNKNOWN:
        return not _is_success(_watch.status)
    return not _raises_success(frame)


def interactive() -> bool:
    """Whether this is a session at a prompt, or a notebook, where the end of the program is never seen."""
    return hasattr(sys, "ps1")


def _is_success(status: object) -> bool:
    return status is None or (isinstance(status, int) and status == 0)


def _printed_exception() -> BaseException | None:
    """The exception that Python printed last because nothing caught it."""
    return getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)


def _main_frame() -> FrameType | None:
    """The frame of the main module, or else of the module that runs all others."""
    main = threading.main_thread()
    running: FrameType | None = sys._getframe(1)  # not its own: a frame that holds itself keeps all its callers
    if threading.current_thread() is not main and main.ident is not None:
        running = sys._current_frames().get(main.ident)
    names = getattr(sys.modules.get("__main__"), "__dict__", None)
    found = outermost = None
    for frame in outwards(running):
        # Never a function's: a frame that is kept keeps all that is in it.
        outermost = frame if frame.f_code.co_name == "<module>" else None
        found = outermost if outermost is not None and frame.f_globals is names else found
    return found or outermost


def _workers_status() -> object:
    """The exit status of a worker of multiprocessing, which ends without unwinding its main module.

    Up to Python 3.12 finalizers run within ``_bootstrap``, where the exception is in flight; later, after it.
    """
    for caller in outwards(sys._getframe(1)):
        name = caller.f_code.co_name
        if name in ("_bootstrap", "_launch", "main") and "multiprocessing" in caller.f_code.co_filename:
            return None if name == "_bootstrap" else caller.f_locals.get("code")
    return _UNKNOWN


def _opname(frame: FrameType) -> str:
    """The instruction at which a frame stopped; one that was left by an exception did not stop at a return."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] if frame.f_lasti >= 0 else ""


def _raises_success(frame: FrameType) -> bool:
    """Whether a frame stopped at ``raise SystemExit``, ``SystemExit()``, ``SystemExit(0)`` or ``SystemExit(None)``."""
    before: list[dis.Instruction] = []
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti:
            if instruction.opname != "RAISE_VARARGS":
                return False
            break
        if instruction.opname not in _FILLERS:
            before.append(instruction)
    parts = [*before[-3:]]
    if parts and parts[-1].opname.startswith("CALL"):
        parts.pop()
    if parts and parts[-1].opname in ("LOAD_CONST", "LOAD_SMALL_INT") and _is_success(parts[-1].argval):
        parts.pop()
    return bool(parts) and parts[-1].opname.startswith("LOAD_") and parts[-1].argval == "SystemExit"


@process.in_child
def _after_fork() -> None:
    if _watch is not None:
        _watch.after_fork()

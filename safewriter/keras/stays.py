"""The time for which a writer of Keras' callback is the default one, and how it ends where ``fit`` is interrupted."""

from __future__ import annotations

import sys
import threading
import weakref
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from tensorflow.python.ops import summary_ops_v2

from safewriter.findings import SafeWriterError, is_keras, send
from safewriter.keras.steps import IN_PYTHON, Counted
from safewriter.recording.usage import USAGE
from safewriter.system.stack import outwards

OVER = object()  #: in the place of a method of the callback: `fit` has ended


@dataclass(frozen=True)
class _Before:
    """What the thread's summary state was."""

    writer: Any
    step: Any
    condition: Any
    stay: Stay | None  #: the one that had made that writer the default


@dataclass(eq=False)
class Stay:
    """The time for which a writer of a callback's is the default one of a thread."""

    callback: Any
    writer: Any
    fit: _Fit | None
    testing: bool = False
    within: Counted | None = None
    step: Any = None
    count: Any = 0
    left_out: dict[str, None] = field(default_factory=dict)  #: lines, in order
    before: _Before = _Before(None, None, None, None)
    _interrupted: Any = None

    def arrive(self) -> None:
        """Makes the writer the default one."""
        state = summary_ops_v2._summary_state
        behind = next((stay for stay in reversed(HERE.stays) if stay.writer is state.writer), None)
        self.before = _Before(state.writer, state.step, state.is_recording, behind)
        HERE.stays.append(self)
        callback = self.callback
        state.writer = self.writer
        state.is_recording = lambda: callback._records(self)
        self.writer._events.enter()
        callbacks = None if self.fit is None else self.fit.callbacks()
        if callbacks is not None:
            self._interrupted = weakref.finalize(callbacks, _end_interrupted, self, dict(callback._writers))
            self._interrupted.atexit = False

    def leave(self) -> None:
        """Gives the thread back what it had, unless somebody else has taken it since."""
        if self._interrupted is not None:
            self._interrupted.detach()
        stays = HERE.stays
        if self not in stays:
            return
        stays.remove(self)
        state = summary_ops_v2._summary_state
        before = self.before
        if state.writer is self.writer:
            while before.stay is not None and before.stay not in stays:
                before = before.stay.before
            state.writer, state.step, state.is_recording = before.writer, before.step, before.condition
        self.writer._events.leave(may_raise=False)

    def must_be_gone(self) -> None:
        """Gives the thread back what it had, where leaving has failed."""
        if self in HERE.stays:
            HERE.stays.remove(self)
        state, before = summary_ops_v2._summary_state, self.before
        if state.writer is self.writer:
            state.writer, state.step, state.is_recording = before.writer, before.step, before.condition

    def has_step(self, step: Any) -> None:
        """The step of summaries that are given none."""
        self.step = step
        if not isinstance(step, Counted) and (isinstance(step, int) or not IN_PYTHON):
            self.count = step
        state = summary_ops_v2._summary_state
        if state.writer is self.writer:
            state.step = step

    def where(self) -> Any:
        """The outermost method of Keras' callbacks in which the thread is; None in none, ``OVER`` after ``fit``."""
        fit = self.fit
        if fit is not None and fit.thread != threading.get_ident():
            return None  # of a replica: it runs within the call
        if fit is not None and fit.callbacks() is None:
            return OVER
        hook = None
        for frame in outwards(sys._getframe(1)):
            code = frame.f_code
            if fit is not None and code is fit.code and frame.f_locals.get("callbacks") is fit.callbacks():
                return hook
            if code.co_name.startswith("on_") and is_keras(code.co_filename):
                hook = code.co_name
        return hook if fit is None else OVER

    def end(self) -> None:
        """An exception has ended ``fit``: gives back what it had taken, and closes the files."""
        USAGE.interrupted = True
        self.leave()
        _close(dict(self.callback._writers))


class _Here(threading.local):
    """The stays of a thread, in the order of their beginning."""

    def __init__(self) -> None:
        self.stays: list[Stay] = []


HERE = _Here()


@dataclass(frozen=True)
class _Fit:
    """A call of Keras' ``fit`` or ``evaluate`` that is known again on the stack, and isn't kept alive."""

    code: CodeType
    callbacks: weakref.ref[Any]
    thread: int


def running_fit() -> _Fit | None:
    """The innermost one that is running; None where a loop of the user's calls the callback's methods."""
    for frame in outwards(sys._getframe(1)):
        if frame.f_code.co_name in ("fit", "evaluate") and is_keras(frame.f_code.co_filename):
            callbacks = frame.f_locals.get("callbacks")
            if callbacks is not None and not isinstance(callbacks, (list, tuple)):
                return _Fit(frame.f_code, weakref.ref(callbacks), threading.get_ident())
    return None


def _end_interrupted(stay: Stay, writers: dict[str, Any]) -> None:
    """Where an exception ends ``fit``, Keras' list of callbacks goes without ``on_train_end``."""
    with stay.callback._guard("interrupted fit"):
        if stay in HERE.stays:
            stay.end()
        _close(writers)


def _close(writers: dict[str, Any]) -> None:
    for writer in writers.values():
        try:
            writer.close()
        except SafeWriterError as error:  # under `strict`, in a place where nothing may be raised
            send(error.finding, may_raise=False)

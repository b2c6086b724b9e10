"""Calls that take turns on one thing, and what a call may do that re-enters."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from safewriter.system import process


class Turn:
    """A lock, and the words that were left for the call that holds it.

    A signal handler, or a finalizer, runs in the middle of whatever its thread was doing. Where that is a call that
    holds ``lock``, a call of the handler's *re-enters*. It must not wait, for what it would wait for stands still
    beneath it: it leaves word, and the interrupted call acts on it before it returns.

    No flag says that a call is under way: an exception out of a handler could leave it set. The lock itself knows.
    In a forked child each turn begins anew: the threads that may have held it are not there.

    Args:
        inner: Of calls that are made within those of this turn, and also alone. A call that interrupts one of them
            re-enters too: another thread may have this turn, and wait for the inner one.

    Attributes:
        lock: Held by the call that has its turn.
        reentered: Whether this thread has it, or the inner one, already.
        words: What re-entering calls left to be done, in order. None of them raises.
    """

    __slots__ = ("__weakref__", "_inner", "lock", "reentered", "words")

    lock: Any  # an RLock, which has no type that can be named in Python 3.10
    reentered: Callable[[], bool]
    words: deque[Callable[[], object]]

    def __init__(self, inner: Turn | None = None) -> None:
        self._inner = inner
        self.begin_anew()
        _turns.add(self)

    def begin_anew(self) -> None:
        """A lock that nobody has, and no words."""
        self.lock = threading.RLock()
        self.reentered = owned = self.lock._is_owned  # what threading.Condition asks too
        self.words = deque()
        inner = self._inner
        if inner is not None:
            self.reentered = lambda: owned() or inner.reentered()

    def leave(self, word: Callable[[], object]) -> None:
        """Leaves word for the call that was interrupted."""
        turn = self if self._inner is None or self.lock._is_owned() else self._inner
        turn.words.append(word)

    def run(self, action: Callable[[], None], *, left: Callable[[Callable[[], None]], None] | None = None) -> None:
        """Runs an action in its turn, and does then what was left meanwhile.

        Args:
            action: What is to be done with the lock held.
            left: Called, where this call re-enters, by the interrupted one, with what runs the action then. None
                where nothing is to be done then.
        """
        if self.reentered():
            if left is not None:
                self.leave(partial(left, partial(self.run, action)))
            return
        try:
            with self.lock:
                action()
        finally:
            self.act()

    def act(self) -> None:
        """Does what was left to be done. To be called when the lock is free again."""
        while not self.reentered():
            try:
                word = self.words.popleft()
            except IndexError:  # none, or a handler that came in between has acted on the last one
                return
            word()


_turns: weakref.WeakSet[Turn] = weakref.WeakSet()


@process.in_child
def _begin_all_anew() -> None:
    for turn in list(_turns):
        turn.begin_anew()

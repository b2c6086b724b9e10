"""One thread a process that looks, once a second, at the files that TensorFlow writes."""

from __future__ import annotations

import atexit
import threading
import weakref
from typing import Protocol

from safewriter.system import process

INTERVAL = 1.0  #: seconds between two looks


class Watched(Protocol):
    """What wants to be looked after."""

    def look_aside(self) -> bool:
        """Looks, in the thread of the watcher, for a few milliseconds; whether it wants to be looked after again.

        Raises nothing.
        """


class Watcher:
    """Starts its thread with the first member, and ends it with the last."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Also in a forked child: the thread is not there."""
        self._lock = threading.RLock()  # a signal handler may create a writer while one is being added
        self._members: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, member: Watched) -> None:
        """Looks after a member from now on. Where no thread can be had, its own calls look alone."""
        with self._lock:
            self._members.add(member)
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="safewriter-watcher", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    self._thread = None

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            with self._lock:
                members = list(self._members)
            for member in members:
                if not member.look_aside():
                    self._members.discard(member)
            del members
            with self._lock:
                if not self._members:
                    self._thread = None
                    return

    def is_this_thread(self) -> bool:
        """Whether the caller is run by the watcher."""
        return threading.current_thread() is self._thread

    def others_run(self) -> bool:
        """Whether there is a thread beside the caller's and the watcher's."""
        return any(each not in (threading.current_thread(), self._thread) for each in threading.enumerate())

    def stop(self) -> None:
        """Ends the thread: the program ends, and what is left is looked at by the exit hook."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(5.0)


WATCHER = Watcher()
atexit.register(WATCHER.stop)
process.in_child(WATCHER.begin_anew)

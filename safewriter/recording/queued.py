"""A bounded queue and a timer before a file whose every write is slow: remote, or on a mount under load."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from safewriter.eventfile.local import FileState
from safewriter.eventfile.record import frame


class EventFile(Protocol):
    """What the queue, and the log of a writer, need of a file."""

    path: str
    size: int
    torn: bool

    def write(self, data: bytes) -> None:
        """Appends one event, so that other readers see it."""

    def write_framed(self, records: bytes) -> None:
        """Appends records that are framed already; all of them or none, or else the file is ``torn``."""

    def state(self) -> FileState | None:
        """What is found of the file now."""

    def reader(self) -> BinaryIO:
        """The file that we wrote, opened for reading from its start."""

    def copied_to_path(self) -> BinaryIO:
        """What of our file the one that is at our path now begins with."""

    def reached(self) -> int:
        """How many records a reader finds behind the last one that is known to have been written."""

    def cut_to(self, size: int) -> None:
        """Takes off what stands behind ``size``."""

    def sync(self) -> None:
        """Brings the file to the storage itself."""

    def close(self) -> None:
        """Gives the file back."""

    def remove(self) -> None:
        """Takes the file away again, as far as that goes."""


class WriteQueue:
    """Holds events in memory and stores them from a thread of its own.

    The thread stores what is held when the timer fires, when ``limit`` bytes are held, or when asked to. Adding blocks
    only while a store is under way and ``max_queue`` events wait behind it, as the stock writer's does. What a kill
    can lose is what came in since the last store.

    While the storage fails, the held events stay and are tried again each second; ``put`` raises instead
    of taking more.

    Args:
        file: Where the records go. Used by the thread alone; ``paused`` lends it out.
        max_queue: Events that may wait behind a store; 0 or less for no bound, as in ``queue.Queue``.
        flush_secs: Seconds from an event's arrival to its store, at most.
        limit: Bytes that may be held before they are stored ahead of time.
        stored: Called with the number of events that a store brought to the file, before the file is lent out again.
        look: Called before a store; it may call ``replace_file``.
        renew: Called when the file can't be written to any more, with it; gives another file, and how many of the
            events to be stored had reached the old one.

    ``look``, ``renew`` and ``stored`` are called on the thread, while the file is in use.

    Raises:
        OSError: No thread can be started.
    """

    retry_secs = 1.0  #: between two tries while the storage fails
    slow_secs = 0.001  #: a store that takes longer is slow

    def __init__(
        self,
        file: EventFile,
        max_queue: int,
        flush_secs: float,
        limit: int,
        *,
        stored: Callable[[int], None],
        look: Callable[[], None],
        renew: Callable[[EventFile], tuple[EventFile, int]],
    ) -> None:
        self._file = file
        self._stored = stored
        self._look = look
        self._renew = renew
        self.quick_stores = 0  #: stores in a row that took less than ``slow_secs``
        self._max_queue = max_queue
        self._flush_secs = max(flush_secs, 0.0)
        self._limit = limit
        self._changed = threading.Condition()
        self._file_lock = threading.Lock()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._store_at: float | None = None
        self._storing: list[bytes] = []  # what the thread is storing now
        self._asked = 0  # stores asked for so far, and how many of them have been answered
        self._answered = 0
        self._stopping = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="safewriter-queue", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the interpreter is ending, or the system has no thread left
            raise OSError(errno.EAGAIN, f"no thread for the queue: {error}") from error

    @property
    def pending(self) -> int:
        """Events that have not reached the storage."""
        with self._changed:
            return len(self._held) + len(self._storing)

    def put(self, data: bytes) -> None:
        """Takes one serialized event.

        Raises:
            OSError: The storage fails; this event was not taken.
        """
        record = b"".join(frame(data))
        with self._changed:
            while self._storing and 0 < self._max_queue <= len(self._held) and self._error is None:
                self._changed.wait()
            if self._error is not None:
                raise _again(self._error)
            self._held.append(record)
            self._held_bytes += len(record)
            if self._store_at is None:
                self._store_at = time.monotonic() + self._flush_secs
                self._changed.notify_all()
            elif self._held_bytes >= self._limit:
                self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> None:
        """Stores what is held now, and waits until that is done.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Raises:
            OSError: It could not be stored; it is still held. ``TimeoutError`` when the time ran out.
        """
        with self._changed:
            self._asked += 1
            ticket = self._asked
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._answered >= ticket or not self._thread.is_alive(), timeout):
                raise TimeoutError(f"the storage did not answer within {timeout:g} s")
            if self._error is not None:
                raise _again(self._error)

    def stop(self, timeout: float | None = None) -> None:
        """Ends the thread; what is still held stays in ``pending``.

        Args:
            timeout: Seconds to wait for a store that is under way; None for as long as it takes.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def replace_file(self, file: EventFile) -> None:
        """Goes on in another file; the caller holds ``paused``."""
        self._file = file

    @contextmanager
    def paused(self, timeout: float | None = None) -> Iterator[bool]:
        """Lends the file out: no store is under way inside. Yields False where one was for longer than ``timeout``."""
        taken = self._file_lock.acquire(timeout=-1 if timeout is None else timeout)
        try:
            yield taken
        finally:
            if taken:
                self._file_lock.release()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._wait_until_due()
                if self._stopping:
                    return
                self._storing, self._held, self._held_bytes, self._store_at = self._held, [], 0, None
                asked = self._asked
            error = self._store()
            with self._changed:
                self._error = error
                if error is not None:
                    self._held[:0] = self._storing
                    self._storing = []
                    self._held_bytes = sum(map(len, self._held))
                    self._store_at = time.monotonic() + self.retry_secs
                self._answered = asked
                self._changed.notify_all()

    def _wait_until_due(self) -> None:
        while not self._stopping and self._asked == self._answered:
            if self._error is None and self._held_bytes >= self._limit:
                return
            left = None if self._store_at is None else self._store_at - time.monotonic()
            if left is not None and left <= 0:
                return
            self._changed.wait(left)

    def _store(self) -> OSError | None:
        """Brings ``_storing`` to the file; what did not reach it is left there. Gives what went wrong."""
        started = time.monotonic()
        try:
            with self._file_lock:
                if self._storing:
                    self._look()
                if self._storing and self._file.torn:
                    self._file, reached = self._renew(self._file)
                    with self._changed:
                        del self._storing[:reached]
                if self._storing:
                    self._file.write_framed(b"".join(self._storing))
                    with self._changed:
                        stored, self._storing = len(self._storing), []
                        self._stored(stored)
        except OSError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a thread that died of it would lose the rest in silence
            return OSError(f"{type(error).__name__}: {error}")
        self.quick_stores = self.quick_stores + 1 if time.monotonic() - started < self.slow_secs else 0
        return None


def _again(error: OSError) -> OSError:
    """The same error anew: one that is raised twice would carry both tracebacks."""
    return OSError(error.errno, error.strerror) if error.errno is not None else OSError(str(error))

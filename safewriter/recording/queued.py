"""The backend for storage whose every write is slow: remote, or a mount under load. A queue, a timer and a thread."""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from typing import Any, NamedTuple

from safewriter.findings import Desk, Finding
from safewriter.recording.direct import framed
from safewriter.recording.files import EventFiles, OnFiles
from safewriter.recording.turn import Turn

_LOCAL_FLUSH_SECS = 2.0
_LOCAL_LIMIT = 1 << 20
_REMOVE_SECS = 5.0  # that a constructor which failed waits for storage to take its file away
_REMOTE_LIMIT = 64 << 20  # bytes; some remote file systems send the whole file anew at each flush


class Queueing(NamedTuple):
    """How much may be held in memory before slow or remote storage.

    Attributes:
        max_queue: Events that may wait behind a store; 0 or less for no bound, as in ``queue.Queue``.
        flush_secs: Seconds from an event's arrival to its store, at most.
    """

    max_queue: int
    flush_secs: float


class QueuedBackend(OnFiles):
    """Holds events in memory and stores them from a thread of its own, which alone has the files.

    The thread stores what is held when the timer fires, when a limit of bytes is held, or when asked to. Adding waits
    only while a store is under way and ``max_queue`` events wait behind it, as the stock writer's does. What a kill
    can lose is what came in since the last store. While the storage fails, the held events stay and are tried again
    each second; ``write`` raises instead of taking more.

    Args:
        files: Where the events go.
        turn: Of the owner, held around each call but ``write_in_between``.
        desk: The writer's: where the sum is reported if nobody can wait for the end.
        queueing: Its bounds; on local files nothing waits for more than 2 seconds.

    Raises:
        OSError: No thread can be started.
    """

    retry_secs = 1.0  #: between two tries while the storage fails

    def __init__(self, files: EventFiles, turn: Turn, desk: Desk, queueing: Queueing) -> None:
        super().__init__(files)
        self._turn = turn
        self._desk = desk
        self._max_queue = queueing.max_queue
        seconds = queueing.flush_secs
        self._flush_secs = max(seconds if files.remote else min(seconds, _LOCAL_FLUSH_SECS), 0.0)
        self._limit = _REMOTE_LIMIT if files.remote else _LOCAL_LIMIT
        self._empty()
        self._start()

    def _empty(self) -> None:
        # Entered itself: an exception of a handler's in `Condition.__enter__` would leave it held.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._held: deque[bytes] = deque()
        self._left: deque[bytes] = deque()  # by calls that re-entered
        self._accepted = self._files.settled
        self._storing: list[bytes] = []  # what the thread is storing now
        self._held_bytes = 0
        self._store_at: float | None = None
        self._asked = self._answered = 0  # flushes
        self._error: OSError | None = None
        self._ending = False
        self._ended = False
        self._unattended = False  # nobody waits for the end
        self._removing = False

    def take_over(self) -> None:
        """To be called when this is in the place of a direct backend, which handlers may have used until then."""
        self._accepted = self._files.settled

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="safewriter-queue", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the interpreter is ending, or the system has no thread left
            raise OSError(errno.EAGAIN, f"no thread for the queue: {error}") from error

    # The account. It takes no lock: a handler may interrupt whoever reads it.

    @property
    def accepted(self) -> int:
        """Events that were taken."""
        return self._accepted + len(self._left)

    @property
    def pending(self) -> int:
        """Accepted events that only this process's memory holds: what a kill would lose."""
        return max(self.accepted - self._files.settled, 0)

    # Taking.

    def write(self, event: Any) -> None:
        """See ``Backend``."""
        record = framed(event, self._files)
        try:
            with self._lock:
                while self._storing and 0 < self._max_queue <= len(self._held) and self._error is None:
                    self._changed.wait()
                if self._error is not None:
                    raise _again(self._error)
                self._hold(record)
        except OSError as error:
            self._files.losses.fail(error, self.pending)

    def _hold(self, record: bytes) -> None:
        self._accepted += 1  # first: no signal comes between this and the next call
        self._held.append(record)
        self._held_bytes += len(record)
        if self._store_at is None:
            self._store_at = time.monotonic() + self._flush_secs
            self._changed.notify_all()
        elif self._held_bytes >= self._limit:
            self._changed.notify_all()

    def write_in_between(self, event: Any) -> None:
        """Leaves the event to the thread, and to the interrupted call, which may be anywhere in a write of its own."""
        self._left.append(framed(event, self._files))
        self._turn.leave(self._notice_left)

    def _notice_left(self) -> None:
        with self._turn.lock:
            with self._lock:
                self._hold_left()
                ended = self._ended
            if ended:
                self._give_up(OSError(errno.EBADF, "closed"))
                self._desk.report_all(self._files.losses.sum_up(), may_raise=False)

    def _hold_left(self) -> None:
        while self._left:
            self._hold(self._left.popleft())

    def prepare(self) -> None:
        """Nothing: the thread has the files."""

    def flush(self, timeout: float | None = None) -> None:
        """See ``Backend``."""
        try:
            with self._lock:
                self._asked += 1
                ticket = self._asked
                self._changed.notify_all()
                if not self._changed.wait_for(lambda: self._answered >= ticket or self._ended, timeout):
                    raise TimeoutError(f"the storage did not answer within {timeout:g} s")
                if self._error is not None:
                    raise _again(self._error)
        except OSError as error:
            self._files.losses.fail_to_flush(error, self.pending)

    # Ends.

    def close(self, timeout: float | None = None) -> list[Finding]:
        """See ``Backend``. What is still held when ``timeout`` is over can't land any more."""
        with self._lock:
            self._ending = True
            self._changed.notify_all()
            if threading.current_thread() is self._thread:  # a finalizer: it can't wait for the thread that it is on
                self._unattended = True
                return []
            # Not for the end of the thread itself: it may need a lock of Python's that an interrupted call holds.
            if not self._changed.wait_for(lambda: self._ended, timeout):
                self._error = TimeoutError(f"the storage did not answer within {timeout:g} s")
        self._give_up(self._error)
        return self._files.losses.sum_up()

    def _give_up(self, error: OSError | None) -> None:
        """What is still held can't land any more."""
        with self._lock:
            waiting = len(self._held) + len(self._storing)
            if waiting:
                self._files.losses.unstored += waiting
                self._files.losses.last_error = error or OSError(errno.EIO, "the storage was gone")
                self._held.clear()
                self._storing = []

    def reopen(self) -> None:
        """See ``Backend``."""
        self._files.begin()
        self._empty()
        self._start()

    def remove(self) -> None:
        """See ``Backend``."""
        with self._lock:
            self._ending = self._removing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended, _REMOVE_SECS)

    # On the thread.

    def _run(self) -> None:
        while True:
            with self._lock:
                self._wait_until_due()
                self._hold_left()
                self._storing = list(self._held)
                self._held.clear()
                self._held_bytes, self._store_at = 0, None
                asked, ending = self._asked, self._ending
            error = self._serve(look=asked != self._answered)
            with self._lock:
                self._error = error
                if error is not None:
                    self._held_bytes += sum(map(len, self._storing))
                    self._held.extendleft(reversed(self._storing))
                    self._storing = []
                    self._store_at = time.monotonic() + self.retry_secs
                self._answered = asked
                self._changed.notify_all()
                if ending and not self._left:
                    break
        self._end()

    def _wait_until_due(self) -> None:
        while not self._ending and self._asked == self._answered:
            if self._error is None and self._held_bytes >= self._limit:
                return
            left = None if self._store_at is None else self._store_at - time.monotonic()
            if left is not None and left <= 0:
                return
            self._changed.wait(left)

    def _serve(self, *, look: bool) -> OSError | None:
        """Writes ``_storing`` to the files; what did not reach them stays in it. Returns the error, if any."""
        try:
            self._files.go_on_in_newest(closed=False)  # what a handler began before the queue took over
            if self._storing:
                self._store()
            if look:
                self._files.look()
        except OSError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a thread that died of it would lose the rest in silence
            return OSError(f"{type(error).__name__}: {error}")
        return None

    def _store(self) -> None:
        self._files.look()
        if self._files.torn:
            reached = self._files.renew()
            with self._lock:
                del self._storing[:reached]
        if self._storing:
            part = self._files.append(b"".join(self._storing))
            with self._lock:
                part.events += len(self._storing)
                self._storing = []

    def _end(self) -> None:
        with self._desk.guard("event file"):
            if self._removing:
                self._files.remove()
            else:
                self._files.go_on_in_newest(closed=False)
                self._files.end()
        with self._lock:
            self._ended = True
            self._changed.notify_all()
            unattended = self._unattended
        if unattended:
            self._give_up(self._error)
            self._desk.report_all(self._files.losses.sum_up(), may_raise=False, at_creation=True)


def _again(error: OSError) -> OSError:
    """The same error anew: one that is raised twice would carry both tracebacks."""
    return OSError(error.errno, error.strerror) if error.errno is not None else OSError(str(error))

"""What stands between a writer and its backend, whatever TensorFlow's part of it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from safewriter.findings import Finding, SafeWriterError
from safewriter.recording.backend import Backend
from safewriter.recording.turn import Turn
from safewriter.system import process


class Landing:
    """What event writers are besides TensorFlow's part: calls take turns on a backend.

    It knows whether the writer is closed, and whose process it is.

    Attributes:
        backend: Where events go.
        pid: The process that writes.
        sums: What closing had to say, for the ledger to report.
        in_child: Called in a forked child, before its first event is written.
    """

    backend: Backend
    _report: Callable[[Finding], None]

    def _begin(self, report: Callable[[Finding], None]) -> None:
        self.turn = Turn()
        self.sums: list[Finding] = []
        self._closed = False
        self._ended = False  # the backend is closed, too: an exception out of a signal handler may come before
        self.pid = process.pid
        self._report = report
        self.in_child: Callable[[], None] = lambda: None

    @property
    def closed(self) -> bool:
        """Whether it was closed, and not reopened."""
        return self._closed

    @property
    def foreign(self) -> bool:
        """Whether it is another process's: we are a forked child that has not written yet."""
        return self.pid != process.pid

    def _take(self, event: Any) -> None:
        turn = self.turn
        if turn.reentered():
            self.backend.write_in_between(event)
            return
        try:
            with turn.lock:
                if self.pid != process.pid:
                    self._go_on_in_child()
                self.backend.write(event)
                if self._closed:  # by another thread, since our caller has looked
                    for finding in self.backend.close():
                        self._report(finding)
        finally:
            if turn.words:
                turn.act()

    def prepare(self) -> None:
        """Begins the file that the next event goes to, where there is none.

        Raises:
            SafeWriterError: SW502, as the add that this is called for would.
        """
        self.turn.run(self._prepare)

    def _prepare(self) -> None:
        if self.foreign:
            self._go_on_in_child()
        if not self._closed:
            self.backend.prepare()

    def _go_on_in_child(self) -> None:
        parent, self.pid = self.pid, process.pid
        self.in_child()
        self._leave_to_parent(parent)

    def _leave_to_parent(self, parent: int) -> None:
        """In a forked child: leaves the parent's file alone; the next event begins one of the child's own (SW505).

        Nothing where a session writes: it is not usable in a forked child.
        """

    def flush(self) -> None:
        """Brings all events to the file and looks whether they are there.

        Raises:
            SafeWriterError: SW502: the storage refuses.
        """
        self.turn.run(self._flush, left=self._quietly)

    def _flush(self) -> None:
        if not self._closed and not self.foreign:
            self.backend.flush()

    def close(self, timeout: float | None = None) -> None:
        """Flushes, syncs and closes the file; what could not be written is in ``sums``.

        Where an exception out of a signal handler leaves it, the next call, or the exit hook's, does what is left.

        Args:
            timeout: Seconds to wait for slow storage; None for as long as it takes.
        """
        self.turn.run(partial(self._close, timeout), left=self._quietly)

    def _close(self, timeout: float | None) -> None:
        if not self._ended:
            self._closed = True
            if not self.foreign:
                self.sums += self.backend.close(timeout)
            self._ended = True

    def _quietly(self, call: Callable[[], None]) -> None:
        """Makes a call that a handler's left to the one it interrupted, whose caller did not ask for it."""
        try:
            call()
        except SafeWriterError as error:
            self._report(error.finding)
        except Exception:  # noqa: BLE001 - TensorFlow's; what did not land is counted when the writer is closed
            return

    def reopen(self) -> None:
        """Goes on in a new file after ``close``; nothing where it is open, or where a call is under way.

        Raises:
            OSError: The file can't be created.
        """
        self.turn.run(self._reopen)

    def _reopen(self) -> None:
        if self._closed:
            self._close(None)
            if self.foreign:
                self._go_on_in_child()
            self.backend.reopen()
            self._closed = self._ended = False

    def remove(self) -> None:
        """Removes what a constructor that failed has created."""
        self._closed = True
        self.backend.remove()

"""What a ``FileWriter`` calls its event writer: TensorFlow's classes, with a backend of ours beneath."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tensorflow.python.summary.writer import writer
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter
from tensorflow.python.summary.writer.event_file_writer_v2 import EventFileWriterV2

from safewriter.findings import Desk, Finding, SafeWriterError
from safewriter.recording.backend import Backend
from safewriter.recording.direct import DirectBackend
from safewriter.recording.files import EventFiles
from safewriter.recording.queued import QueuedBackend, Queueing
from safewriter.recording.resource import ResourceBackend
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
        if self.turn.reentered():
            return
        with self.turn.lock:
            if self.pid != process.pid:
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
        if self.turn.reentered():
            self.turn.leave(self._flush_left)
            return
        try:
            with self.turn.lock:
                if not self._closed and not self.foreign:
                    self.backend.flush()
        finally:
            self.turn.act()

    def _flush_left(self) -> None:
        try:
            self.flush()
        except SafeWriterError as error:
            self._report(error.finding)
        except Exception:  # noqa: BLE001 - TensorFlow's; what did not land is counted when the writer is closed
            return

    def close(self, timeout: float | None = None) -> None:
        """Flushes, syncs and closes the file; what could not be written is in ``sums``.

        Args:
            timeout: Seconds to wait for slow storage; None for as long as it takes.
        """
        if self.turn.reentered():
            self.turn.leave(partial(self._close_left, timeout))
            return
        try:
            with self.turn.lock:
                if self._closed:
                    return
                self._closed = True
                if not self.foreign:
                    self.sums += self.backend.close(timeout)
        finally:
            self.turn.act()

    def _close_left(self, timeout: float | None) -> None:
        try:
            self.close(timeout)
        except Exception:  # noqa: BLE001 - TensorFlow's; what did not land is counted
            return

    def reopen(self) -> None:
        """Goes on in a new file after ``close``; nothing where it is open, or where a call is under way.

        Raises:
            OSError: The file can't be created.
        """
        if self.turn.reentered():
            return
        try:
            with self.turn.lock:
                if self._closed:
                    if self.foreign:
                        self._go_on_in_child()
                    self.backend.reopen()
                    self._closed = False
        finally:
            self.turn.act()

    def remove(self) -> None:
        """Removes what a constructor that failed has created."""
        self._closed = True
        self.backend.remove()


class SafeEventFileWriter(Landing, EventFileWriter):  # type: ignore[misc]
    """TensorFlow's ``EventFileWriter`` with a backend in place of its queue, thread and C++ writer.

    ``add_event`` stays the inherited method, which experiment trackers patch; it calls ``_try_put``. The base class's
    constructor is left out on purpose: it would create a second event file.

    Args:
        logdir: What ``get_logdir`` answers.
        files: Where events go.
        desk: The writer's.
        report: Takes findings that the writer reports when its call is over.
        queueing: For slow and remote storage.

    Raises:
        OSError: A queue is needed, and no thread can be started.
    """

    def __init__(
        self,
        logdir: str,
        files: EventFiles,
        desk: Desk,
        report: Callable[[Finding], None],
        queueing: Queueing,
    ) -> None:
        self._begin(report)
        self._logdir = logdir
        self._files = files
        self._queue = partial(QueuedBackend, files, self.turn, desk, queueing)
        self._begin_backend()

    def _begin_backend(self) -> None:
        files = self._files
        self.backend = self._queue() if files.remote else DirectBackend(files, self.turn, self._storage_is_slow)

    def _leave_to_parent(self, parent: int) -> None:
        self._files.leave_to_parent(parent)
        self._begin_backend()  # what a queue holds, and its thread, are the parent's

    def _try_put(self, event: Any) -> None:
        self._take(event)

    def _storage_is_slow(self) -> None:
        direct = self.backend
        try:
            queue = self._queue()
        except OSError:  # no thread to be had, at the end of the interpreter for one
            return
        self.backend = queue
        queue.take_over()
        if isinstance(direct, DirectBackend):
            direct.replaced = True


def event_file_writer_class() -> type[SafeEventFileWriter]:
    """Our class; below one that a tool has put in the place of TensorFlow's to learn of log directories, as wandb does.

    Such a class calls its base class's constructor with what it was given, after the directory.
    """
    found: type = writer.EventFileWriter
    if found is EventFileWriter or not (isinstance(found, type) and issubclass(found, EventFileWriter)):
        return SafeEventFileWriter
    if issubclass(found, SafeEventFileWriter):
        return found
    return type(found.__name__, (found, SafeEventFileWriter), {"__module__": found.__module__})


class SafeSessionEventWriter(Landing, EventFileWriterV2):  # type: ignore[misc]
    """TensorFlow's ``EventFileWriterV2``, which writes through a session's summary resource, with an account of it.

    Args:
        session: See ``tf.compat.v1.summary.FileWriter``.
        logdir: Local directory or URL.
        directory: The same, absolute.
        remote: It is a URL.
        token: What its file is known by; see ``resource.new_token``.
        desk: The writer's.
        report: Takes findings that the writer reports when its call is over.
        rest: The other arguments of the base class.
    """

    def __init__(
        self,
        session: Any,
        logdir: str,
        directory: str,
        token: str,
        desk: Desk,
        report: Callable[[Finding], None],
        *,
        remote: bool,
        filename_suffix: str,
        **rest: Any,
    ) -> None:
        ending = token + filename_suffix
        EventFileWriterV2.__init__(self, session, logdir, filename_suffix=ending, **rest)
        self._begin(report)
        resource = _SessionResource(self)
        self.backend = ResourceBackend(resource, directory, ending, self.turn, remote=remote, desk=desk, report=report)

    def add_event(self, event: Any) -> None:
        """Writes one event through the session.

        Args:
            event: An ``Event`` message.
        """
        if not self._closed:
            self._take(event)


class _SessionResource:
    """The resource of an event writer of TensorFlow's, by the methods of its class: trackers may have patched them."""

    def __init__(self, owner: SafeSessionEventWriter) -> None:
        self._writer = owner

    def key(self) -> object:
        """See ``Resource``."""
        return self._writer._session, self._writer._init_op.inputs[0].op.get_attr("shared_name")

    def add(self, event: Any) -> None:
        """See ``Resource``."""
        EventFileWriterV2.add_event(self._writer, event)

    def flush(self) -> None:
        """See ``Resource``."""
        EventFileWriterV2.flush(self._writer)

    def close(self) -> None:
        """See ``Resource``."""
        self._writer._session.run([self._writer._flush_op])
        self._writer._session.run(self._writer._close_op)

    def reopen(self) -> None:
        """See ``Resource``."""
        self._writer._session.run(self._writer._init_op)

    def may_exchange(self) -> bool:
        """See ``Resource``: all events pass through writers, and one that comes in between is refused aloud."""
        return True

    def stays_open(self) -> bool:
        """See ``Resource``."""
        return False

"""What a ``FileWriter`` calls its event writer: TensorFlow's classes, with a backend of ours beneath."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tensorflow.python.summary.writer import writer
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter
from tensorflow.python.summary.writer.event_file_writer_v2 import EventFileWriterV2

from safewriter.findings import Desk, Finding
from safewriter.recording.direct import DirectBackend
from safewriter.recording.files import EventFiles
from safewriter.recording.landing import Landing
from safewriter.recording.queued import QueuedBackend, Queueing
from safewriter.recording.resource import Resource, ResourceBackend


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

    _try_put = Landing._take

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


class _SessionResource(Resource):
    """The resource of an event writer of TensorFlow's, by the methods of its class: trackers may have patched them."""

    def __init__(self, owner: SafeSessionEventWriter) -> None:
        self._writer = owner

    def key(self) -> object:
        return self._writer._session, self._writer._init_op.inputs[0].op.get_attr("shared_name")

    def add(self, event: Any) -> None:
        EventFileWriterV2.add_event(self._writer, event)

    def flush(self) -> None:
        EventFileWriterV2.flush(self._writer)

    def close(self) -> None:
        self._writer._session.run([self._writer._flush_op])
        self._writer._session.run(self._writer._close_op)

    def reopen(self) -> None:
        self._writer._session.run(self._writer._init_op)

    def may_exchange(self) -> bool:
        """See ``Resource``: all events pass through writers, and one that comes in between is refused aloud."""
        return True

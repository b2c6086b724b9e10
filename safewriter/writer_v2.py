"""``create_file_writer``: TensorFlow's TF2 summary writer, whose files are read back, judged and accounted for."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import weakref
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_summary_ops, summary_ops_v2

from safewriter.checks.distribution import StrategyFacts, judge_creation
from safewriter.checks.tf2 import baked_step, in_tf2_words
from safewriter.findings import Finding, guarded, is_keras, is_users
from safewriter.recording import opening, scope
from safewriter.recording.eager import EagerEvents, EagerResource
from safewriter.recording.report import WriterReport
from safewriter.recording.resource import Budget, Resource, ResourceBackend, new_token
from safewriter.recording.usage import USAGE
from safewriter.recording.watcher import WATCHER
from safewriter.system import process
from safewriter.system.stack import outwards

_FLUSH_SECS = 120.0
_numbers = itertools.count(1)
_Self = TypeVar("_Self", bound="_Overrides")
_Stock = summary_ops_v2._ResourceSummaryWriter
_STOCK_FILE = _Stock.close.__code__.co_filename
_STOCK_MODULE = summary_ops_v2.__name__
#: The module of a function on the stack. Python 3.12 and later know it without making a frame object, which is quicker.
_module_at = getattr(sys, "_getframemodulename", None) or (lambda depth: sys._getframe(depth + 1).f_globals["__name__"])
_StockTrackable = summary_ops_v2._TrackableResourceSummaryWriter


def create_file_writer(
    logdir: Any,
    max_queue: int | None = None,
    flush_millis: int | None = None,
    filename_suffix: str | None = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
    *,
    strict: bool = False,
    ignore: str | Iterable[str] = (),
    resume_step: int | None = None,
) -> SafeSummaryWriter:
    """``tf.summary.create_file_writer`` that loses nothing in silence.

    The writer is a ``tf.summary.SummaryWriter`` and works wherever TensorFlow's does. On a local disk an event is with
    the operating system when the call that writes it returns; elsewhere it is flushed after ``flush_millis`` also
    where no next event comes. What TensorFlow wrote is read back and judged.

    Args:
        logdir: Directory for the event files, as ``str``, ``bytes`` or path object, or a URL of ``tf.io.gfile``.
        max_queue: Events that TensorFlow keeps in memory before it writes them; on a local disk it is always 0.
        flush_millis: Milliseconds between flushes of a remote file.
        filename_suffix: What the file's name ends with; ``.v2`` where it is None.
        name: Of the op that creates the writer.
        experimental_trackable: Gives a writer that a ``tf.Module`` tracks and a SavedModel holds.
        experimental_mesh: See ``tf.summary.create_file_writer`` of TensorFlow 2.15 and later.
        strict: Raise ``SafeWriterError`` where a warning would be given: at ``flush``, ``close`` or a block's end.
        ignore: Codes, names or code prefixes that are not reported: ``("SW401", "not-finite", "SW4")``.
        resume_step: The run goes on from a checkpoint at this step, in its old directory: TensorBoard is made to drop
            the points after it.

    Returns:
        The writer. It has ``report()`` beside the methods of TensorFlow's. In graph mode, where an argument is a tensor
        whose value only a session knows, it is TensorFlow's own writer, without ``report()``.

    Raises:
        SafeWriterError: The log directory can't be written to (SW101, SW102, SW103, SW105); also the built-in error
            that fits.
        ValueError: An unknown code in ``ignore``; the message lists the right ones.
    """
    given = {"max_queue": max_queue, "flush_millis": flush_millis, "filename_suffix": filename_suffix}
    inside_function = ops.inside_function()
    with ops.init_scope():
        if tf.executing_eagerly():
            summary_ops_v2._check_create_file_writer_args(inside_function, logdir=logdir, **given)
    if any(tf.is_tensor(each) and plain(each) is None for each in (logdir, *given.values())):
        # A tensor of a graph, which only a session knows: there is nothing to look at, and nothing to keep account of.
        unwatched: SafeSummaryWriter = summary_ops_v2.create_file_writer_v2(logdir, **given, name=name)
        return unwatched
    plan = Plan(plain(logdir), strict, ignore, resume_step, direct=is_users(sys._getframe(1).f_code.co_filename))
    mesh = {} if experimental_mesh is None else {"mesh": experimental_mesh}
    with ops.name_scope(name, "create_file_writer") as name_scope, ops.device("cpu:0"), ops.init_scope():

        def create() -> Any:
            shared = plan.resource_name() if tf.executing_eagerly() else ops.name_from_scope_name(name_scope)
            return gen_summary_ops.summary_writer(shared_name=shared, name=name)

        kind = SafeTrackableSummaryWriter if experimental_trackable else SafeSummaryWriter
        writer: SafeSummaryWriter = kind.__new__(kind)
        begin(writer, kind.stock.__init__, plan, create, given, mesh)
    return writer


class Plan(opening.Plan):
    """What is settled before TensorFlow's resource is created.

    Attributes:
        direct: The user's own line creates the writer, not a library's.
        of_keras: Keras' callback does.
    """

    def __init__(
        self, logdir: Any, strict: bool, ignore: str | Iterable[str], resume_step: int | None, *, direct: bool
    ) -> None:
        self.direct = direct
        self.of_keras = not direct and called_by_keras()
        super().__init__(logdir, strict, ignore, resume_step, self._judge)
        if not self.remote:
            opening.probe(self.directory, self.desk)
        with self.desk.guard("disk space"):
            self.desk.report_all(opening.free_space(self.directory))

    def _judge(self, facts: StrategyFacts) -> Iterable[Finding]:
        # A writer that is created while a function is traced is lifted out of it, once for each trace.
        found = judge_creation(replace(facts, tracing=None)) if facts.in_replica or self.direct else ()
        return map(in_tf2_words, found)

    def resource_name(self) -> str:
        """Names TensorFlow's resource; stands in TensorFlow's error where it is used after its end."""
        return f"the summary writer created at {self.desk.created_at}, which is closed or was dropped #{next(_numbers)}"


def begin(writer: Any, construct: Any, plan: Plan, create: Any, given: dict[str, Any], mesh: dict[str, Any]) -> Any:
    """Constructs a writer: TensorFlow's part, then its account.

    Args:
        writer: Of a class of ours.
        construct: The constructor of TensorFlow's class.
        plan: What was settled before.
        create: Gives the handle of the resource.
        given: ``max_queue``, ``flush_millis`` and ``filename_suffix`` as they were passed.
        mesh: Further arguments of the constructor.

    Returns:
        What makes the resource behind a handle anew.
    """
    suffix = given["filename_suffix"]
    suffix = new_token() + (".v2" if suffix is None else os.fsdecode(plain(suffix)))
    queue, millis = plain(given["max_queue"]), plain(given["flush_millis"])
    if not plan.remote and (queue is None or isinstance(queue, int)):  # TensorFlow refuses any other
        queue = 0
    init = functools.partial(
        gen_summary_ops.create_summary_file_writer,
        logdir=tf.constant(plan.text if plan.remote else plan.directory),
        max_queue=tf.constant(10 if queue is None else queue),
        flush_millis=tf.constant(int(_FLUSH_SECS * 1000) if millis is None else millis),
        filename_suffix=tf.constant(suffix),
    )
    construct(writer, create, init, **mesh)
    eager = tf.executing_eagerly()
    desk = plan.desk
    events = EagerEvents(
        desk,
        graph_mode=not eager,
        may_be_silent=plan.role.chief is False or not plan.direct,
        flush_secs=(_FLUSH_SECS if millis is None else millis / 1000) if plan.remote else None,
    )
    events.writer = weakref.ref(writer)
    events.backend = ResourceBackend(
        EagerResource(writer._handle, init, events) if eager else Resource(),
        plan.directory,
        suffix,
        events.turn,
        desk=desk,
        report=events.news.append,
        take=events.take,
        budget=Budget(),
    )
    words = functools.partial(_in_words, of_keras=plan.of_keras)
    events.ledger = ledger = plan.ledger(events, events.news, words=words)
    beside = guarded(desk, "writers of the process", lambda: scope.current().enter(ledger))
    desk.report_all(ledger.worded(beside))
    with desk.guard("directory"):
        events.news += plan.watch(ledger)
    for marker in plan.purge_markers if eager else ():
        events.backend.write(marker)
    writer._events = events
    finalizer = weakref.finalize(writer, scope.abandon, ledger)
    finalizer.atexit = False
    WATCHER.add(events)
    events.deliver()
    USAGE.created = desk.place
    USAGE.trace = _trace_waits
    return init


def _trace_waits() -> bool:
    """Whether ``trace_on`` began a trace that is still waiting for its export."""
    return summary_ops_v2._current_trace_context is not None


def _in_words(finding: Finding, *, of_keras: bool) -> Finding:
    """A finding of a v1 writer in the words of TF2, with the cause where it is known."""
    if finding.code == "SW404":
        places = {str(USAGE.baked_steps.get(tag, "")) for tag in finding.data.get("tags") or [finding.subject]}
        if "" not in places:
            finding = baked_step(finding, sorted(places))
    return in_tf2_words(finding, of_keras=of_keras)


def called_by_keras() -> bool:
    """Whether a method of Keras' callback creates a writer, that of ours among them."""
    for frame in outwards(sys._getframe(1)):
        filename = frame.f_code.co_filename
        if is_keras(filename) or is_users(filename):
            return is_keras(filename)
    return False


def plain(value: Any) -> Any:
    """What a tensor holds, where TensorFlow's own function has made one of an argument."""
    if tf.is_tensor(value):
        value = tf.get_static_value(value)
    return value.item() if getattr(value, "size", 0) == 1 and hasattr(value, "item") else value  # of NumPy's


class _Block(AbstractContextManager[Any]):
    """``with writer.as_default():``, with a look at the files when it ends."""

    def __init__(self, writer: Any, stock: Any) -> None:
        self._writer = writer
        self._stock = stock
        self._before: dict[EagerEvents, tuple[int, int]] = {}

    def __enter__(self) -> Any:
        events: EagerEvents = self._writer._events
        events.enter()
        with events.desk.guard("captured writers"):
            self._before = USAGE.sizes(events)
        return self._stock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        events: EagerEvents = self._writer._events
        handled = False
        failure: Exception | None = None
        try:
            handled = self._stock.__exit__(kind, error, traceback)
        except Exception as flushing:  # noqa: BLE001 - raised again below, when a new file may have been begun
            failure = flushing
        if self._before:
            with events.desk.guard("captured writers"):
                self._look_at_others(events)
        events.leave(may_raise=error is None and failure is None)
        if failure is not None:
            raise failure
        return handled

    def _look_at_others(self, default: EagerEvents) -> None:
        """SW309: another writer grew in this block, and was the default one nowhere."""
        for other, (grown, entered) in USAGE.sizes(default).items():
            before, entered_before = self._before.get(other, (grown, -1))
            if grown > before and entered == entered_before:
                default.news += USAGE.captured(default, other, other.backend.written_behind(before))


class _Overrides:
    """What a writer of ours does beside TensorFlow's part; stands in front of TensorFlow's class."""

    _events: EagerEvents = None  # type: ignore[assignment]  # while the writer is constructed
    _handle: Any
    _closed: bool

    @property
    def _resource(self) -> Any:
        """The handle. TensorFlow asks for it at each eager summary, and at each trace of a function: be quick."""
        events = self._events
        if events is not None:
            backend = events.backend
            if events.pid != process.pid or backend.files.down:
                events.make_usable()
            if _module_at(1) == _STOCK_MODULE and context.executing_eagerly():
                backend.written += 1
                if events.due:
                    events.look_first()
        return self._handle

    @_resource.setter
    def _resource(self, handle: Any) -> None:
        self._handle = handle

    def as_default(self: _Self, step: Any = None) -> AbstractContextManager[_Self]:
        """Makes this writer the default one of its thread for a ``with`` block. See ``tf.summary.SummaryWriter``."""
        return _Block(self, super().as_default(step))  # type: ignore[misc]

    if TYPE_CHECKING:  # inherited from TensorFlow, which has no types

        def set_as_default(self, step: Any = None) -> None: ...

    def flush(self) -> Any:
        """Flushes, and looks at what TensorFlow has written; in a graph or a function, the op that flushes.

        Raises:
            SafeWriterError: Under ``strict``, what came up.
        """
        events = self._events
        if not events.is_here():
            return super().flush()  # type: ignore[misc]
        if self._closed:
            return None
        by_stock = _called_by_stock()
        if by_stock or events.turn.reentered():  # an interrupted call looks when it is over
            self._flush_resource()
        if by_stock:
            return None
        try:
            events.flush()
        except BaseException:
            events.deliver(may_raise=False)
            raise
        events.ledger.look_around()
        events.deliver()
        return None

    def close(self) -> Any:
        """Flushes and closes the file and reports what there is to say; in a graph or a function, the op that closes.

        Raises:
            SafeWriterError: Under ``strict``, what came up.
        """
        events = self._events
        if not events.is_here():
            return super().close()  # type: ignore[misc]
        if self._closed and not events.ledger.is_open:
            return None
        if events.turn.reentered():  # the interrupted call closes before it returns
            events.turn.words.append(self._close_left)
            return None
        try:
            self._flush_resource()
        finally:
            self._closed = True
            events.end(sys.exc_info()[1])
        return None

    def _flush_resource(self) -> None:
        """What TensorFlow's ``flush`` does; nothing where a signal handler closes the writer in the middle of it."""
        try:
            self._events.backend.flush_resource()
        except tf.errors.NotFoundError:
            if not self._events.closed:
                raise

    def _close_left(self) -> None:
        with self._events.desk.guard("close"), contextlib.suppress(tf.errors.OpError):
            self.close()

    def report(self) -> WriterReport:
        """What this writer has done so far: accepted, landed, lost, by tag, and what was reported."""
        events = self._events
        events.look(whole=True)
        with events.desk.guard("report"):
            events.deliver(may_raise=False)
        return events.ledger.report()

    def __repr__(self) -> str:
        events = self._events
        if events is None:
            return f"<{type(self).__name__}, not created>"
        state = "closed" if events.closed else "open"
        return f"<{type(self).__name__} {events.ledger.logdir!r}, {state}, created at {events.desk.created_at}>"


def _called_by_stock() -> bool:
    """Whether TensorFlow's own ``close`` or end of a block asks for the flush: it has more to do, and we look later."""
    code = sys._getframe(2).f_code
    return code.co_name in ("close", "__exit__") and code.co_filename == _STOCK_FILE


class SafeSummaryWriter(_Overrides, _Stock):  # type: ignore[misc, valid-type]
    """What ``create_file_writer`` gives."""

    stock = _Stock


class SafeTrackableSummaryWriter(SafeSummaryWriter, _StockTrackable):  # type: ignore[misc, valid-type]
    """The same with ``experimental_trackable=True``."""

    stock = _StockTrackable

"""``create_file_writer``: TensorFlow's TF2 summary writer, whose files are read back, judged and accounted for."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import time
import weakref
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event, SessionLog
from tensorflow.python.eager import context
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_summary_ops, summary_ops_v2

from safewriter.checks.distribution import Role, judge_creation
from safewriter.checks.logdir import scheme_of
from safewriter.checks.tf2 import baked_step, in_tf2_words
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Finding, Policy, guarded, is_keras, is_users, users_place
from safewriter.recording import scope
from safewriter.recording.eager import EagerEvents, EagerResource, NoResource
from safewriter.recording.ledger import Ledger
from safewriter.recording.opening import free_space, locate, probe, resolved
from safewriter.recording.report import WriterReport
from safewriter.recording.resource import Budget, ResourceBackend, new_token
from safewriter.recording.usage import USAGE
from safewriter.recording.watch import PURGE_MARKERS, DirectoryWatch, whole_resume_step
from safewriter.recording.watcher import WATCHER
from safewriter.system import process

_LOOK_EVERY = 0.25  #: seconds between two looks at the end of a `with` block: one block a step costs nothing then
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


class Plan:
    """What is settled before TensorFlow's resource is created.

    Args:
        logdir: See ``create_file_writer``.
        strict: See there.
        ignore: See there.
        resume_step: See there.
        direct: The user's own line creates the writer, not a library's.

    Raises:
        SafeWriterError: The directory can't be written to.
    """

    def __init__(
        self, logdir: Any, strict: bool, ignore: str | Iterable[str], resume_step: int | None, *, direct: bool
    ) -> None:
        self.resume_step = whole_resume_step(resume_step)
        self.desk = desk = Desk(Policy.of(strict, ignore), users_place())
        self.direct = direct
        self.of_keras = not direct and called_by_keras()
        self.text, self.directory = locate(logdir, desk)
        self.remote = bool(scheme_of(self.directory))
        self.role, self.role_in_words = Role(), ""
        with desk.guard("strategy"):
            # A writer that is created while a function is traced is lifted out of it, once for each trace.
            facts = replace(strategy_facts(), tracing=None)
            self.role, self.role_in_words = facts.role, facts.role.in_words()
            if facts.in_replica or direct:
                desk.report_all(map(in_tf2_words, judge_creation(facts)))
        if not self.remote:
            probe(self.directory, desk)
        with desk.guard("disk space"):
            desk.report_all(free_space(self.directory))

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
    events = EagerEvents(graph_mode=not eager, may_be_silent=plan.role.chief is False or not plan.direct)
    events.writer = weakref.ref(writer)
    events.backend = ResourceBackend(
        EagerResource(writer._handle, init, events) if eager else NoResource(),
        plan.directory,
        suffix,
        events.turn,
        remote=plan.remote,
        desk=desk,
        report=events.news.append,
        take=events.take,
        budget=Budget(),
    )
    words = functools.partial(_in_words, of_keras=plan.of_keras)
    events.ledger = ledger = Ledger(
        plan.text, resolved(plan.directory), desk, events, plan.role_in_words, events.news, words=words
    )
    beside = guarded(desk, "writers of the process", lambda: scope.current().enter(ledger))
    desk.report_all(ledger.worded(beside))
    with desk.guard("directory"):
        ledger.watch = DirectoryWatch(
            plan.directory, plan.role, lambda: scope.files_in(ledger.directory), plan.resume_step
        )
        events.news += ledger.watch.look()
    if eager and plan.resume_step is not None:
        for _ in range(PURGE_MARKERS):
            log = SessionLog(status=SessionLog.START)
            events.backend.write(Event(wall_time=time.time(), step=plan.resume_step + 1, session_log=log))
    writer._safe = _Safe(events, plan, _FLUSH_SECS if millis is None else millis / 1000)
    finalizer = weakref.finalize(writer, scope.abandon, ledger)
    finalizer.atexit = False
    WATCHER.add(writer._safe)
    writer._safe.deliver()
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
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if is_keras(code.co_filename):
            return True
        if is_users(code.co_filename):
            return False
        frame = frame.f_back
    return False


def plain(value: Any) -> Any:
    """What a tensor holds, where TensorFlow's own function has made one of an argument."""
    if tf.is_tensor(value):
        value = tf.get_static_value(value)
    return value.item() if getattr(value, "size", 0) == 1 and hasattr(value, "item") else value  # of NumPy's


class _Safe:
    """The part of a writer that is ours: its events, and how what came up is reported.

    Args:
        events: Its event writer.
        plan: What was settled before it was created.
        flush_secs: Between two flushes of a remote file.

    Attributes:
        due: The next eager write is to look first: a loop may never call us otherwise.
    """

    def __init__(self, events: EagerEvents, plan: Plan, flush_secs: float) -> None:
        self.events = events
        self.desk = plan.desk
        self.due = False
        self.of_a_fit = False  #: Keras' `fit` made it the default one
        self._remote = plan.remote
        self._flush_secs = flush_secs
        self._looked = self._flushed = time.monotonic()

    def deliver(self, *, may_raise: bool = True) -> None:
        """Reports what came up, at the line that created the writer: what is read back came from no one line."""
        if self.events.news:
            found = guarded(self.desk, "wording", self.events.ledger.take_news)
            self.desk.report_all(found, may_raise=may_raise, at_creation=True)

    def look_aside(self) -> bool:
        """See ``Watched``."""
        events = self.events
        if events.closed or events.foreign:
            return False
        with self.desk.guard("watcher"):
            if self._remote and not events.graph_mode and time.monotonic() - self._flushed > self._flush_secs:
                self._flushed = time.monotonic()
                events.flush()
            elif not self._remote:
                events.look()
                self.due = True
            if not self.desk.policy.strict:  # there the user's next call raises
                self.deliver(may_raise=False)
        return True

    def is_here(self) -> bool:
        """Whether the resource is eager, and so is the call."""
        return not self.events.graph_mode and tf.executing_eagerly()

    def look_first(self) -> None:
        """A second has passed since the last look: before the next write, what became of the file meanwhile."""
        self.due = False
        self.events.go_on()
        if not self.desk.policy.strict:
            self.deliver(may_raise=False)

    def make_usable(self) -> None:
        """The process was forked, or the resource could not be made anew when its file was gone."""
        events = self.events
        if events.closed or events.graph_mode:
            return
        if events.foreign:
            events.begin_in_child()
            with self.desk.guard("fork"):
                scope.current().enter(events.ledger, may_share=True)
                WATCHER.add(self)
                self.deliver(may_raise=False)  # the child may end without another call of ours
        with contextlib.suppress(tf.errors.OpError):  # then what TensorFlow is about to do fails
            events.backend.before_use()

    def enter(self) -> None:
        """It becomes the default writer of this thread."""
        self.events.enter(recording=summary_ops_v2._summary_state.is_recording is not False)

    def leave(self, *, may_raise: bool) -> None:
        """A block in which it was the default one has ended, and TensorFlow has flushed it."""
        self.events.leave()
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY:
            self._looked = now
            if not self._remote:
                self.events.go_on()
            self.look_around()
        with self.desk.guard("usage"):
            self.events.news += USAGE.settled(self.events)
        self.deliver(may_raise=may_raise)

    def look_around(self) -> None:
        """Who else writes into the directory."""
        with self.desk.guard("directory"):
            self.events.news += self.events.ledger.look_on_flush()

    def end(self, error: BaseException | None) -> None:
        """The writer is closed."""
        ledger = self.events.ledger
        self.events.look(whole=True)
        with self.desk.guard("directory"):
            self.events.news += ledger.look_at_end()
        ledger.scope.close(ledger, self.events.close, may_raise=error is None, at_creation=True)


class _Block(AbstractContextManager[Any]):
    """``with writer.as_default():``, with a look at the files when it ends."""

    def __init__(self, writer: Any, stock: Any) -> None:
        self._writer = writer
        self._stock = stock
        self._before: dict[EagerEvents, tuple[int, int]] = {}

    def __enter__(self) -> Any:
        safe: _Safe = self._writer._safe
        safe.enter()
        with safe.desk.guard("captured writers"):
            self._before = USAGE.sizes(safe.events)
        return self._stock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        safe: _Safe = self._writer._safe
        handled = False
        failure: Exception | None = None
        try:
            handled = self._stock.__exit__(kind, error, traceback)
        except Exception as flushing:  # noqa: BLE001 - raised again below, when a new file may have been begun
            failure = flushing
        if self._before:
            with safe.desk.guard("captured writers"):
                self._look_at_others(safe)
        safe.leave(may_raise=error is None and failure is None)
        if failure is not None:
            raise failure
        return handled

    def _look_at_others(self, safe: _Safe) -> None:
        """SW309: another writer grew in this block, and was the default one nowhere."""
        for events, (grown, entered) in USAGE.sizes(safe.events).items():
            before, entered_before = self._before.get(events, (grown, -1))
            if grown > before and entered == entered_before:
                safe.events.news += USAGE.captured(safe.events, events, events.backend.written_behind(before))


class _Overrides:
    """What a writer of ours does beside TensorFlow's part; stands in front of TensorFlow's class."""

    _safe: _Safe = None  # type: ignore[assignment]  # while the writer is constructed
    _handle: Any
    _closed: bool

    @property
    def _resource(self) -> Any:
        """The handle. TensorFlow asks for it at each eager summary, and at each trace of a function: be quick."""
        safe = self._safe
        if safe is not None:
            events = safe.events
            backend = events.backend
            if events.pid != process.pid or backend.files.down:
                safe.make_usable()
            if _module_at(1) == _STOCK_MODULE and context.executing_eagerly():
                backend.written += 1
                if safe.due:
                    safe.look_first()
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
        safe = self._safe
        if not safe.is_here():
            return super().flush()  # type: ignore[misc]
        if self._closed:
            return None
        by_stock = _called_by_stock()
        if by_stock or safe.events.turn.reentered():  # an interrupted call looks when it is over
            self._flush_resource()
        if by_stock:
            return None
        try:
            safe.events.flush()
        except BaseException:
            safe.deliver(may_raise=False)
            raise
        safe.look_around()
        safe.deliver()
        return None

    def close(self) -> Any:
        """Flushes and closes the file and reports what there is to say; in a graph or a function, the op that closes.

        Raises:
            SafeWriterError: Under ``strict``, what came up.
        """
        safe = self._safe
        if not safe.is_here() or self._closed:
            return super().close()  # type: ignore[misc]
        if safe.events.turn.reentered():  # the interrupted call closes before it returns
            safe.events.turn.words.append(self._close_left)
            return None
        try:
            self._flush_resource()
        finally:
            self._closed = True
            safe.end(sys.exc_info()[1])
        return None

    def _flush_resource(self) -> None:
        """What TensorFlow's ``flush`` does; nothing where a signal handler closes the writer in the middle of it."""
        try:
            self._safe.events.backend.flush_resource()
        except tf.errors.NotFoundError:
            if not self._safe.events.closed:
                raise

    def _close_left(self) -> None:
        with self._safe.desk.guard("close"), contextlib.suppress(tf.errors.OpError):
            self.close()

    def report(self) -> WriterReport:
        """What this writer has done so far: accepted, landed, lost, by tag, and what was reported."""
        safe = self._safe
        safe.events.look(whole=True)
        with safe.desk.guard("report"):
            safe.deliver(may_raise=False)
        return safe.events.ledger.report()

    def __repr__(self) -> str:
        safe = self._safe
        if safe is None:
            return f"<{type(self).__name__}, not created>"
        state = "closed" if safe.events.closed else "open"
        return f"<{type(self).__name__} {safe.events.ledger.logdir!r}, {state}, created at {safe.desk.created_at}>"


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

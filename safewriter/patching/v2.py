"""TF2: ``tf.summary.create_file_writer``, made ours at the moment of its construction, and a look at each ``write``.

As with v1, the constructor of TensorFlow's class is replaced and not the function's name, which programs hold by then.
``tf.summary.write`` is what ``scalar`` and its like call, as an attribute of its module. It, and what else is looked
at, is replaced wherever a module has it under a name, a module of the user's too.
"""

from __future__ import annotations

import functools
import numbers
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_summary_ops, summary_ops_v2
from tensorflow.python.summary import summary as v1_summary

from safewriter import writer_v2
from safewriter.checks.tf2 import Lost, left_default, replica_value
from safewriter.findings import Policy, is_generated, is_keras, is_users, users_place
from safewriter.patching.patches import Patches
from safewriter.recording import scope
from safewriter.recording.eager import EagerEvents
from safewriter.recording.usage import USAGE, Key, Line
from safewriter.system.stack import outwards

_Stock = summary_ops_v2._ResourceSummaryWriter
_CLASSES: dict[type, type] = {
    _Stock: writer_v2.SafeSummaryWriter,
    summary_ops_v2._TrackableResourceSummaryWriter: writer_v2.SafeTrackableSummaryWriter,
}


def replace(patches: Patches, options: Callable[[], dict[str, Any] | None]) -> None:
    """Replaces the constructor, and what is looked at under each name that it has.

    Args:
        patches: Undo it.
        options: Gives what writers are created with; None once that is over.
    """
    original = _Stock.__init__

    @functools.wraps(original)
    def construct(self: Any, create_fn: Any, init_op_fn: Any, mesh: Any = None) -> None:
        chosen = options()
        given = dict(getattr(init_op_fn, "keywords", {}))
        logdir = writer_v2.plain(given.pop("logdir", None))
        further = {} if mesh is None else {"mesh": mesh}
        if chosen is None or type(self) not in _CLASSES or logdir is None:
            original(self, create_fn, init_op_fn, **further)
            return
        plan = writer_v2.Plan(logdir, **chosen, resume_step=None, direct=_called_by_the_user())
        trackable = type(self) is not _Stock
        self.__class__ = _CLASSES[type(self)]
        create = create_fn
        if not trackable and context.executing_eagerly():
            create = functools.partial(gen_summary_ops.summary_writer, shared_name=plan.resource_name())
        options_of_stock = {name: writer_v2.plain(value) for name, value in given.items()}
        init = writer_v2.begin(self, original, plan, create, options_of_stock, further)
        self._events.of_a_fit = plan.of_keras and _in_a_fit()
        if trackable:
            self._init_op_fn = init

    patches.set(_Stock, "__init__", construct)
    watch = _Watch(options)
    USAGE.watched = lambda: options() is not None
    replaced: dict[str, tuple[Any, Any]] = {
        "write": (summary_ops_v2.write, watch.look),
        "write_raw_pb": (summary_ops_v2.write_raw_pb, watch.look),
        "graph": (summary_ops_v2.graph, watch.look),
        "trace_on": (summary_ops_v2.trace_on, watch.note_trace),
        "record_if": (summary_ops_v2.record_if, watch.look_at_condition),
    }
    wrapped = {id(original): (original, _looked_at(original, look)) for original, look in replaced.values()}
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            found = wrapped.get(id(value))
            if found is not None and found[0] is value:
                patches.set(module, name, found[1])
    invoke = v1_summary._should_invoke_v2_op

    @functools.wraps(invoke)
    def watched_invoke() -> bool:
        answer: bool = invoke()
        if not answer:
            watch.look_at_v1()
        return answer

    patches.set(v1_summary, "_should_invoke_v2_op", watched_invoke)


def _looked_at(original: Any, look: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> Any:
    @functools.wraps(original)
    def watched(*args: Any, **keywords: Any) -> Any:
        look(args, keywords)
        return original(*args, **keywords)

    return watched


def _called_by_the_user() -> bool:
    frame = _line(3)
    return frame is not None and is_users(frame.f_code.co_filename)


@functools.lru_cache(maxsize=4096)
def _is_outside(code: CodeType) -> bool:
    """Whether a function is neither TensorFlow's, TensorBoard's nor ours; it may be Keras'."""
    return is_users(code.co_filename) or is_generated(code.co_filename) or _is_keras(code)


@functools.lru_cache(maxsize=4096)
def _is_keras(code: CodeType) -> bool:
    return is_keras(code.co_filename)


class _Watch:
    """Sees each call of ``tf.summary`` before TensorFlow does. What goes wrong here is ours: the call goes its way."""

    def __init__(self, options: Callable[[], dict[str, Any] | None]) -> None:
        self._options = options
        self._asked = threading.local()  # the latest line that called `record_if` with a plain value

    def _begin(self) -> bool:
        chosen = self._options()
        if chosen is None:
            return False
        USAGE.policy = USAGE.policy or Policy.of(**chosen)
        return True

    def look(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Notes one call of ``write``, or of what has no tag: ``write_raw_pb`` or ``graph``."""
        try:
            if not self._begin():
                return
            frame = _line(3)
            if frame is None:
                return
            state = summary_ops_v2._summary_state
            writer, eager = state.writer, context.executing_eagerly()
            key = (frame.f_code, frame.f_lineno)
            if writer is None:
                if not _is_keras(frame.f_code):  # Keras 3 calls it at each batch and relies on nothing being recorded
                    USAGE.lost(key, lambda: _lost(frame, eager))
                return
            USAGE.served.add(key)
            events = getattr(writer, "_events", None)
            if events is None:
                return
            if not eager:
                self._look_at_trace(events, state, key, args, keywords)
                return
            if events.of_a_fit and not _within_keras(frame):
                events.news.append(left_default(str(users_place())))
                events.of_a_fit = False
            condition = state.is_recording
            if condition is None or condition is True:
                USAGE.recorded.add(key)
            else:
                self._look_at_recording(events, frame, key, condition)
        except Exception:  # noqa: BLE001 - private ways of TensorFlow's: less is known then
            return

    def _look_at_recording(self, events: EagerEvents, frame: FrameType, key: Key, condition: Any) -> None:
        """Counts what is perhaps not recorded: by the ``update_freq`` of Keras, or by the user's condition."""
        code = getattr(condition, "__code__", None)
        if _is_keras(frame.f_code) and frame.f_code.co_name != "_log_epoch_metrics":
            return  # of a batch: left out as asked
        if code is not None and _is_keras(code):
            if bool(condition()):
                USAGE.recorded.add(key)
            else:
                USAGE.switched_off(key, events, lambda: Line(users_place(), Lost.OFF_BY_KERAS))
        elif code is None or is_users(code.co_filename):
            USAGE.refused(key, events, lambda: Line(users_place(), Lost.OFF))

    def _look_at_trace(
        self, events: EagerEvents, state: Any, key: Key, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        place = users_place()
        USAGE.traced_under[events] = place
        tag = args[0] if args else keywords.get("tag")
        step = args[2] if len(args) > 2 else keywords.get("step")
        step = state.step if step is None else step
        if isinstance(tag, str):
            if isinstance(step, (numbers.Integral, ops.EagerTensor)):
                USAGE.baked_steps[tag] = place
            else:
                USAGE.baked_steps.pop(tag, None)
        self._look_at_traced_condition(events, state.is_recording, key, place)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1 and tf.distribute.get_replica_context() is not None:
            events.desk.note(replica_value(str(place), replicas))

    def _look_at_traced_condition(self, events: EagerEvents, condition: Any, key: Key, place: Any) -> None:
        if condition is None:
            USAGE.recorded.add(key)
            return
        code = getattr(condition, "__code__", None)
        if not callable(condition):
            value = tf.get_static_value(condition)
            if value is None:  # a tensor of the function: asked at each call
                USAGE.recorded.add(key)
                return
            asked = getattr(self._asked, "last", None)
            if asked is not None:
                USAGE.traced(key, place, bool(value), events, asked=asked)
            reason = Lost.TRACED_OFF
        elif code is not None and is_keras(code.co_filename):
            value = condition()
            reason = Lost.TRACED_OFF_BY_KERAS
        elif code is not None and (is_users(code.co_filename) or is_generated(code.co_filename)):
            value = condition()
            if isinstance(value, bool):
                USAGE.traced(key, place, value, events, condition=condition)
            reason = Lost.TRACED_OFF
        else:
            return
        if tf.is_tensor(value) or value:
            USAGE.recorded.add(key)
        elif reason is Lost.TRACED_OFF_BY_KERAS:
            USAGE.switched_off(key, events, lambda: Line(place, reason, traced=True))
        else:
            USAGE.refused(key, events, lambda: Line(place, reason, traced=True))

    def look_at_condition(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Notes one call of ``record_if``: what it was given, and by which line of the user's."""
        try:
            condition = args[0] if args else keywords["condition"]
            frame = _line(3)
            self._asked.last = None
            if frame is None or _is_keras(frame.f_code):
                return
            if callable(condition):
                USAGE.asked_by(condition)
                return
            value = tf.get_static_value(condition)
            if value is not None:
                self._asked.last = USAGE.asked((frame.f_code, frame.f_lineno), users_place, bool(value))
        except Exception:  # noqa: BLE001 - what the user passed is TensorFlow's to judge
            return

    def look_at_v1(self) -> None:
        """Notes a v1 summary op in eager code whose value goes nowhere."""
        try:
            if not self._begin() or not ops.executing_eagerly_outside_functions():
                return
            frame = _line(2)
            if frame is None or any(not hasattr(each.events, "entered") for each in scope.open_writers()):
                return  # with a v1 writer the value may be meant for that
            key = (frame.f_code, frame.f_lineno)
            reason = Lost.V1_WITHOUT_STEP if summary_ops_v2.has_default_writer() else Lost.V1_WITHOUT_WRITER
            traced = not context.executing_eagerly()
            USAGE.lost(key, lambda: Line(users_place(), reason, traced=traced))
        except Exception:  # noqa: BLE001 - private ways of TensorFlow's: less is known then
            return

    def note_trace(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Notes the line that calls ``trace_on``."""
        if self._begin():
            USAGE.trace_begun = users_place()


def _line(depth: int) -> FrameType | None:
    """The innermost frame of the stack that is the user's, generated from it, or Keras'."""
    return next((frame for frame in outwards(sys._getframe(depth)) if _is_outside(frame.f_code)), None)


def _lost(frame: FrameType, eager: bool) -> Line:
    """A line that found no default writer, with what is known of the reason."""
    thread = threading.current_thread()
    writers = [each for each in scope.open_writers() if hasattr(each.events, "entered")]
    active = [each for each in writers if each.events.active]  # type: ignore[attr-defined]
    created = thread_name = ""
    if not eager:
        reason = Lost.TRACED_BY_KERAS if _within_keras(frame) else Lost.TRACED
    elif type(thread).__name__ == "_DummyThread":
        reason = Lost.FOREIGN_THREAD
    elif active and thread is not threading.main_thread():
        reason, created, thread_name = Lost.OTHER_THREAD, active[0].desk.created_at, thread.name
    elif _within_keras(frame):
        reason = Lost.IN_A_CALLBACK
    elif USAGE.interrupted:
        reason = Lost.INTERRUPTED
    elif len(writers) == 1:
        reason = Lost.ENDED if writers[0].events.entered else Lost.NOT_YET  # type: ignore[attr-defined]
        created = writers[0].desk.created_at
    else:
        reason = Lost.OUTSIDE
    return Line(users_place(), reason, traced=not eager, created=created, thread=thread_name)


def _within_keras(frame: FrameType) -> bool:
    return any(_is_keras(each.f_code) for each in outwards(frame))


def _in_a_fit() -> bool:
    """Whether Keras' ``fit`` or ``evaluate`` is running, which may leave its writer as the default one."""
    codes = (frame.f_code for frame in outwards(sys._getframe(1)))
    return any(code.co_name in ("fit", "evaluate") and _is_keras(code) for code in codes)

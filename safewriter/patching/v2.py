"""TF2: ``tf.summary.create_file_writer``, made ours at the moment of its construction, and a look at each ``write``.

As with v1, the constructor of TensorFlow's class is replaced and not the function's name, which programs hold by then.
``tf.summary.write`` is what ``scalar`` and its like call, as an attribute of its module.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.ops import gen_summary_ops, summary_ops_v2

from safewriter import writer_v2
from safewriter.checks.tf2 import baked_condition, left_default, no_default_writer, replica_value, switched_off
from safewriter.findings import Place, Policy, is_users, send, users_place
from safewriter.patching.patches import Patches
from safewriter.recording import scope, usage

_Stock = summary_ops_v2._ResourceSummaryWriter
_CLASSES: dict[type, type] = {
    _Stock: writer_v2.SafeSummaryWriter,
    summary_ops_v2._TrackableResourceSummaryWriter: writer_v2.SafeTrackableSummaryWriter,
}


def replace(patches: Patches, options: Callable[[], dict[str, Any] | None]) -> None:
    """Replaces the constructor, and ``write`` under each name that it has.

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
        if trackable:
            self._init_op_fn = init

    patches.set(_Stock, "__init__", construct)
    watch = _Watch(options)
    write = summary_ops_v2.write

    @functools.wraps(write)
    def watched(*args: Any, **keywords: Any) -> Any:
        watch.look(args, keywords)
        return write(*args, **keywords)

    for name, module in list(sys.modules.items()):
        if name.startswith(("tensorflow.", "tensorboard.")) and getattr(module, "__dict__", {}).get("write") is write:
            patches.set(module, "write", watched)
    scope.at_end.append(watch.report)


def _called_by_the_user() -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not _is_outside(frame.f_code):
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)


@functools.lru_cache(maxsize=4096)
def _is_outside(code: CodeType) -> bool:
    """Whether a function is neither TensorFlow's, TensorBoard's nor ours; it may be Keras'."""
    return is_users(code.co_filename) or _is_generated(code) or _is_keras(code)


def _is_generated(code: CodeType) -> bool:
    """Whether ``tf.function`` has made it of a function of the user's."""
    return "__autograph_generated_file" in code.co_filename


@functools.lru_cache(maxsize=4096)
def _is_keras(code: CodeType) -> bool:
    name = code.co_filename.replace("\\", "/")
    return "-packages/keras/" in name or "-packages/tf_keras/" in name


@dataclass
class _Line:
    """A line that called ``tf.summary`` where no writer was the default."""

    place: Place
    why: str
    calls: int = 0


class _Watch:
    """Sees each call of ``tf.summary.write`` before TensorFlow does."""

    def __init__(self, options: Callable[[], dict[str, Any] | None]) -> None:
        self._options = options
        self._lost: dict[tuple[CodeType, int], _Line] = {}
        self._served: set[tuple[CodeType, int]] = set()  # lines that ever had a writer: libraries write where one is
        self._switched_off: dict[tuple[CodeType, int], _Line] = {}
        self._recorded: set[tuple[CodeType, int]] = set()
        self._policy: Policy | None = None

    def look(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Notes one call. Whatever goes wrong here is ours, and the call goes its way."""
        chosen = self._options()
        if chosen is None:
            return
        try:
            frame: FrameType | None = sys._getframe(2)
            while frame is not None and not _is_outside(frame.f_code):
                frame = frame.f_back
            if frame is None:
                return
            state = summary_ops_v2._summary_state
            writer, eager = state.writer, context.executing_eagerly()
            key = (frame.f_code, frame.f_lineno)
            self._policy = self._policy or Policy.of(**chosen)
            if writer is None:
                self._note_lost(frame, key, eager)
                return
            self._served.add(key)
            safe = getattr(writer, "_safe", None)
            if safe is None:
                return
            if not eager:
                self._look_at_trace(safe, state, args, keywords)
            elif safe.of_keras:
                if not _within_keras(frame):
                    safe.events.news.append(left_default(str(users_place())))
                    safe.of_keras = False
                else:
                    self._look_at_recording(frame, key, state)
        except Exception:  # noqa: BLE001 - private ways of TensorFlow's: less is known then
            return

    def _note_lost(self, frame: FrameType, key: tuple[CodeType, int], eager: bool) -> None:
        if _is_keras(frame.f_code):  # Keras 3 calls it at each batch and relies on nothing being recorded
            return
        line = self._lost.get(key)
        if line is None:
            line = self._lost[key] = _Line(users_place(), _why(eager))
        line.calls += 1

    def _look_at_recording(self, frame: FrameType, key: tuple[CodeType, int], state: Any) -> None:
        """Counts what the callback's ``update_freq`` switches off: a user's summary, or Keras' own of an epoch."""
        code = getattr(state.is_recording, "__code__", None)
        if _is_keras(frame.f_code) and frame.f_code.co_name != "_log_epoch_metrics":
            return  # of a batch: left out as asked
        if code is None or not _is_keras(code) or bool(state.is_recording()):
            self._recorded.add(key)
            return
        line = self._switched_off.get(key)
        if line is None:
            line = self._switched_off[key] = _Line(users_place(), "")
        line.calls += 1

    def _look_at_trace(self, safe: Any, state: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        place = users_place()
        usage.traced_under[safe.events] = place
        tag = args[0] if args else keywords.get("tag")
        step = args[2] if len(args) > 2 else keywords.get("step")
        step = state.step if step is None else step
        if isinstance(step, int) and isinstance(tag, str):
            usage.baked_steps[tag] = place
        condition = state.is_recording
        code = getattr(condition, "__code__", None)
        if code is not None and _is_condition_of_the_users(code):
            value = condition()
            if not tf.is_tensor(value):
                defined = "" if _is_generated(code) else str(Place(code.co_filename, code.co_firstlineno))
                safe.events.news.append(baked_condition(str(place), bool(value), defined))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1 and tf.distribute.get_replica_context() is not None:
            safe.desk.note(replica_value(str(place), replicas))

    def report(self) -> None:
        """The program, or a capture, ends: SW307 and SW310 for each line of which nothing was ever recorded.

        Where the program created no TF2 writer at all, its summaries are not meant to be written.
        """
        lost, self._lost = self._lost, {}
        off, self._switched_off = self._switched_off, {}
        if not writer_v2.any_created() or self._policy is None:
            return
        found = [
            (line, no_default_writer(str(line.place), line.calls, line.why))
            for key, line in lost.items()
            if key not in self._served
        ]
        found += [
            (line, switched_off(str(line.place), line.calls)) for key, line in off.items() if key not in self._recorded
        ]
        for line, finding in found:
            if finding.code not in self._policy.ignored:
                send(finding, line.place, may_raise=False)


def _is_condition_of_the_users(code: CodeType) -> bool:
    """Whether a function is the user's, perhaps as ``tf.function`` has rewritten it, and is no constant."""
    return (is_users(code.co_filename) or _is_generated(code)) and bool(code.co_names or code.co_freevars)


def _why(eager: bool) -> str:
    elsewhere = [each for each in scope.open_writers() if getattr(each.events, "active", 0)]
    thread = threading.current_thread()
    if not eager:
        return "the function around it was traced where no writer was the default, and never looks again"
    if type(thread).__name__ == "_DummyThread":
        return "it runs in a thread of TensorFlow's, as a `py_function` does, and no writer is the default there"
    if elsewhere and thread is not threading.main_thread():
        created = elsewhere[0].desk.created_at
        return f"no writer is the default in thread {thread.name!r}; the one created at {created} is, in another thread"
    return "no writer was the default there"


def _within_keras(frame: FrameType | None) -> bool:
    while frame is not None:
        if _is_keras(frame.f_code):
            return True
        frame = frame.f_back
    return False

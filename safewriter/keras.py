"""``TensorBoard``: Keras' callback, whose summaries land, or are reported. For Keras 2 and 3 on TensorFlow.

What it puts right beside the writers is listed in ``docs/tf2.md``. The private methods of Keras' class that it builds
on are pinned by tests. What is ours runs in a guard: a fault in it becomes SW901 and never ends a ``fit``.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import summary_ops_v2

from safewriter.checks.tf2 import Lost, LostLine, lost_line
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Place, Policy, SafeWriterError, is_keras, is_users, send, users_place
from safewriter.recording.usage import USAGE
from safewriter.writer_v2 import create_file_writer

_Stock: Any = tf.keras.callbacks.TensorBoard
_IN_PYTHON = not hasattr(_Stock, "_implements_train_batch_hooks")  #: Keras 3, which counts batches in Python


class TensorBoard(_Stock):  # type: ignore[misc]
    """``keras.callbacks.TensorBoard`` that loses nothing in silence.

    Args:
        log_dir: As in Keras.
        args: The other arguments of Keras' callback.
        chief_only: Where several workers run the program, only the chief writes.
        strict: See ``safewriter.create_file_writer``.
        ignore: See there.
        keywords: The other arguments of Keras' callback.

    Raises:
        SafeWriterError: When ``fit`` begins: the log directory can't be written to.
        ValueError: An unknown code in ``ignore``; the message lists the right ones.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        *args: Any,
        chief_only: bool = False,
        strict: bool = False,
        ignore: str | Iterable[str] = (),
        **keywords: Any,
    ) -> None:
        ignored = tuple(sorted(Policy.of(strict, ignore).ignored))
        super().__init__(log_dir, *args, **keywords)
        self._options: dict[str, Any] = {"strict": strict, "ignore": ignored}
        self._chief_only = chief_only
        self._desk = Desk(Policy.of(strict, ignored), users_place())
        self._stay: _Stay | None = None  # of the writer of the training, for the whole of `fit`
        self._test_stay: _Stay | None = None
        self._keep_writer = False  # Keras takes the writer away and puts it back, to change its step
        self._users_condition: Any = True
        self._steps = _Steps()

    # Writers.

    @property
    def _train_writer(self) -> Any:
        return self._writer("train", self._train_dir)

    @property
    def _val_writer(self) -> Any:
        return self._writer("val", self._val_dir)

    def _writer(self, name: str, directory: Any) -> Any:
        if name not in self._writers:
            if self._chief_only and strategy_facts().role.chief is False:
                self._writers[name] = tf.summary.create_noop_writer()
            else:
                self._writers[name] = create_file_writer(directory, **self._options)
        return self._writers[name]

    def _push_writer(self, writer: Any, step: Any) -> None:
        """Called by Keras where a writer of its becomes the default one, and in Keras 3 before each batch."""
        training = writer is self._writers.get("train")
        stay = self._stay if training else self._test_stay
        if stay is None:
            with self._guard("default writer"):
                stay = self._arrive(writer, training=training)
        if stay is None:
            return
        stay.has_step(step)
        with self._guard("steps"):
            self._steps.now(stay, step, self._several_replicas())

    def _pop_writer(self) -> None:
        """Called by Keras where a writer of its is no longer the default one."""
        if self._keep_writer:
            return
        stay = self._stay if self._test_stay is None else self._test_stay
        if stay is None:
            return
        if stay.testing:
            self._test_stay = None
            with self._guard("steps"):
                self._steps.test_ends(stay)
        else:
            self._stay = None
        with self._guard("default writer"):
            stay.leave()
        stay.must_be_gone()

    def _arrive(self, writer: Any, *, training: bool) -> _Stay | None:
        """Makes a writer the default one until the end of the training or test; None where it shall not be."""
        fit = _fit()
        if not hasattr(writer, "_safe"):  # not the chief
            return None
        if self.update_freq == "epoch" and (
            fit is None or not training or summary_ops_v2._summary_state.writer is not None
        ):
            return None  # as with Keras; and summaries of the user's find the writer of the user's
        stay = _Stay(self, writer, fit, testing=not training)
        stay.arrive()
        if training:
            self._stay = stay
        else:
            self._test_stay = stay
        return stay

    def _several_replicas(self) -> bool:
        return bool(tf.distribute.get_strategy().num_replicas_in_sync > 1)

    # Whether a summary is recorded.

    def _records(self, stay: _Stay) -> Any:
        """The condition of ``record_if`` while a writer of this callback is the default one."""
        with self._guard("recording condition"):
            return self._records_now(stay)
        return True

    def _records_now(self, stay: _Stay) -> Any:
        hook = stay.where()
        if hook is _OVER:  # the first summary after an interrupted `fit`
            stay.end()
            return summary_ops_v2._summary_state.writer is not None and _resolved(stay.before.condition)
        if not self._owns(summary_ops_v2._summary_state.writer):
            return _resolved(self._users_condition)  # a writer of the user's: as if this callback were not there
        if not tf.executing_eagerly():
            if self.update_freq != "epoch":
                return self._steps.due_in_a_function(stay, self.update_freq)
        elif hook and "batch" not in hook:
            return _resolved(self._users_condition)
        elif self.update_freq != "epoch":
            return self._steps.due(stay, self.update_freq)
        elif hook:
            return _resolved(self._users_condition)
        self._left_out(stay)
        return False

    def _owns(self, writer: Any) -> bool:
        return any(writer is each for each in self._writers.values())

    def _left_out(self, stay: _Stay) -> None:
        """Notes a line of a layer or a ``train_step`` that ``update_freq='epoch'`` leaves out."""
        place = users_place()
        if is_users(place.filename) and "-packages" not in place.filename:
            stay.left_out.setdefault(str(place), place)

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """See Keras."""
        with self._guard("condition of the user's"):
            for stay in list(_HERE.stays):
                if stay.is_over():
                    stay.end()
            condition = summary_ops_v2._summary_state.is_recording
            self._users_condition = True if condition is None else condition
            self._steps = _Steps()
        super().on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """See Keras."""
        with self._guard("summaries left out"):
            self._report_left_out()
        super().on_train_end(logs)

    def _report_left_out(self) -> None:
        stay = self._stay
        for place in [] if stay is None else stay.left_out.values():
            line = LostLine(str(place), Lost.EPOCHS_ONLY, traced=True)
            stay.writer._safe.events.news.append(lost_line(line))  # type: ignore[union-attr]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """See Keras."""
        with self._guard("steps"):
            self._steps.epoch_begins(self)
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """See Keras; one execution of several steps counts as several."""
        with self._guard("steps"):
            self._steps.batch_begins(self, batch)
        self._keep_writer = True
        try:
            super().on_train_batch_begin(batch, logs)
        finally:
            self._keep_writer = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """See Keras."""
        if self.update_freq == "epoch":  # Keras 3 writes here without a writer, and relies on it
            with tf.summary.record_if(False):
                super().on_train_batch_end(batch, logs)
        else:
            super().on_train_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """See Keras."""
        self._keep_writer = True
        try:
            super().on_test_batch_begin(batch, logs)
        finally:
            self._keep_writer = False

    def _implements_train_batch_hooks(self) -> bool:
        """Asked by Keras 2, which else leaves out this callback's batch metrics."""
        return bool(self.update_freq != "epoch" or super()._implements_train_batch_hooks())

    def _write_keras_model_train_graph(self) -> None:
        with tf.summary.record_if(self._users_condition):
            super()._write_keras_model_train_graph()

    def _guard(self, what: str) -> AbstractContextManager[None]:
        return self._desk.guard(f"callback: {what}")


class _Steps:
    """How many batches there were, and which step a summary gets: one variable, which a function reads at each call.

    Attributes:
        previous: Batches before the latest execution.
        tests: Batches of validation so far, in Keras 2.
    """

    def __init__(self) -> None:
        self.previous = 0
        self.tests = 0
        self._tested: _Counted | None = None
        self._variables: dict[bool, Any] = {}
        self._several = 1  # batches that one execution runs
        self._epoch_base = 0

    def now(self, stay: _Stay, step: Any, several_replicas: bool) -> None:
        """Notes the step that Keras gives: a number in Keras 3, a variable of its own in Keras 2."""
        if several_replicas:
            stay.has_step(step if _IN_PYTHON else step.value())
        elif _IN_PYTHON:
            self._in_python(stay, step)
        elif stay.testing:
            if self._tested is None:
                self._tested = _Counted(step, stay.callback)
            self._tested.begin(self.tests)
            stay.count = self._tested
            stay.has_step(self._tested)

    def _in_python(self, stay: _Stay, step: int) -> None:
        variable = self._variables.get(stay.testing)  # the same in each validation: a function reads it
        if variable is None:
            with tf.init_scope():
                variable = self._variables[stay.testing] = tf.Variable(0, dtype=tf.int64, trainable=False)
        variable.assign(step)
        stay.has_step(variable)
        optimizer = stay.callback.model.optimizer
        if self._several > 1 and optimizer is not None and not stay.testing:
            if stay.within is None:
                stay.within = _Counted(optimizer.iterations, stay.callback)
            stay.within.begin(self.previous + 1)
            stay.within.eagerly = step
            stay.has_step(stay.within)

    def test_ends(self, stay: _Stay) -> None:
        """Counts the batches of a validation; the next one goes on from there."""
        if self._tested is not None and stay.count is self._tested:
            self.tests = int(self._tested.now())

    def epoch_begins(self, callback: Any) -> None:
        """Notes from where the batches of an epoch count."""
        model = callback.model
        several = getattr(model, "steps_per_execution", None) or getattr(model, "_steps_per_execution", None)
        self._several = int(several or 1)
        self._epoch_base = callback._global_train_batch

    def batch_begins(self, callback: Any, batch: int) -> None:
        """Makes Keras count the batches of an execution where there are several, and not the executions."""
        self.previous = callback._global_train_batch
        if self._several > 1 and not _IN_PYTHON:
            self.previous = int(callback._train_step)
        elif self._several > 1:
            steps = (callback.params or {}).get("steps")
            end = batch + self._several if steps is None else min(batch + self._several, steps)
            count = self._epoch_base + end
            for name in ("_start_batch", "_stop_batch"):  # of the profiler: the execution that holds them
                if self.previous < getattr(callback, name) < count:
                    setattr(callback, name, count)
            callback._global_train_batch = count - 1  # Keras adds one

    def due(self, stay: _Stay, frequency: int) -> bool:
        """Whether the batch, or one of the execution, is one that is recorded."""
        if isinstance(stay.count, _Counted):
            return int(stay.count.now()) % frequency == 0
        if self._several > 1 and not stay.testing:
            return bool(int(stay.count) // frequency > self.previous // frequency)
        return int(stay.count) % frequency == 0

    def due_in_a_function(self, stay: _Stay, frequency: int) -> Any:
        """The same as a tensor of the function that is being traced."""
        step = stay.step
        if isinstance(step, int):  # several replicas in Keras 3
            return step % frequency == 0
        return tf.equal(tf.convert_to_tensor(step, tf.int64) % frequency, 0)


class _Counted:
    """A step that counts on from an offset with a counter of Keras'.

    Keras 2 counts the batches of each validation from 0, and the optimizer counts those of one execution while it runs.
    TensorFlow converts it where a summary is written, and so anew at each batch.
    """

    def __init__(self, counter: Any, callback: Any) -> None:
        self.counter = counter
        self.callback = callback
        self.eagerly: int | None = None  #: the step outside of functions, where that is another one
        with tf.init_scope():
            self._offset = tf.Variable(0, dtype=tf.int64, trainable=False)

    def begin(self, first: int) -> None:
        """From the value that the counter has now on, it gives the steps from this one on."""
        self._offset.assign(first - int(self.counter))

    def now(self) -> Any:
        """The step, as a tensor."""
        if self.eagerly is not None and tf.executing_eagerly():
            return tf.constant(self.eagerly, tf.int64)
        return self._offset + tf.cast(tf.convert_to_tensor(self.counter), tf.int64)


def _converted(step: _Counted, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
    now = step.counter
    with step.callback._guard("steps"):
        now = step.now()
    return tf.cast(tf.convert_to_tensor(now), dtype or tf.int64, name=name)


tf.register_tensor_conversion_function(_Counted, _converted)


# A writer of a callback's is the default one.


_OVER = object()


@dataclass(frozen=True)
class _Before:
    """What the thread's summary state was."""

    writer: Any
    step: Any
    condition: Any
    stay: _Stay | None  #: the one that had made that writer the default


@dataclass(eq=False)
class _Stay:
    """The time for which a writer of a callback's is the default one of a thread."""

    callback: Any
    writer: Any
    fit: _Fit | None
    testing: bool = False
    within: _Counted | None = None
    step: Any = None
    count: Any = 0
    left_out: dict[str, Place] = field(default_factory=dict)
    before: _Before = _Before(None, None, None, None)
    _interrupted: Any = None

    def arrive(self) -> None:
        """Makes the writer the default one."""
        state = summary_ops_v2._summary_state
        behind = next((stay for stay in reversed(_HERE.stays) if stay.writer is state.writer), None)
        self.before = _Before(state.writer, state.step, state.is_recording, behind)
        _HERE.stays.append(self)
        callback = self.callback
        state.writer = self.writer
        state.is_recording = lambda: callback._records(self)
        self.writer._safe.enter()
        callbacks = None if self.fit is None else self.fit.callbacks()
        if callbacks is not None:
            self._interrupted = weakref.finalize(callbacks, _end_interrupted, self, dict(callback._writers))
            self._interrupted.atexit = False

    def leave(self) -> None:
        """Gives the thread back what it had, unless somebody else has taken it since."""
        if self._interrupted is not None:
            self._interrupted.detach()
        stays = _HERE.stays
        if self not in stays:
            return
        stays.remove(self)
        state = summary_ops_v2._summary_state
        before = self.before
        if state.writer is self.writer:
            while before.stay is not None and before.stay not in stays:
                before = before.stay.before
            state.writer, state.step, state.is_recording = before.writer, before.step, before.condition
        self.writer._safe.leave(may_raise=False)

    def must_be_gone(self) -> None:
        """Gives the thread back what it had, where leaving has failed."""
        if self in _HERE.stays:
            _HERE.stays.remove(self)
        state, before = summary_ops_v2._summary_state, self.before
        if state.writer is self.writer:
            state.writer, state.step, state.is_recording = before.writer, before.step, before.condition

    def has_step(self, step: Any) -> None:
        """The step of summaries that are given none."""
        self.step = step
        if not isinstance(step, _Counted) and (isinstance(step, int) or not _IN_PYTHON):
            self.count = step
        state = summary_ops_v2._summary_state
        if state.writer is self.writer:
            state.step = step

    def where(self) -> Any:
        """The outermost method of Keras' callbacks in which the thread is; None in none, ``_OVER`` after ``fit``."""
        fit = self.fit
        if fit is not None and fit.thread != threading.get_ident():
            return None  # of a replica: it runs within the call
        if fit is not None and fit.callbacks() is None:
            return _OVER
        hook = None
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if fit is not None and code is fit.code and frame.f_locals.get("callbacks") is fit.callbacks():
                return hook
            if code.co_name.startswith("on_") and is_keras(code.co_filename):
                hook = code.co_name
            frame = frame.f_back
        return hook if fit is None else _OVER

    def is_over(self) -> bool:
        """Whether ``fit`` has ended without saying so: by an exception."""
        return self.where() is _OVER

    def end(self) -> None:
        """An exception has ended ``fit``: gives back what it had taken, and closes the files."""
        USAGE.interrupted = True
        self.leave()
        _close(dict(self.callback._writers))


class _Here(threading.local):
    """The stays of a thread, in the order of their beginning."""

    def __init__(self) -> None:
        self.stays: list[_Stay] = []


_HERE = _Here()


@dataclass(frozen=True)
class _Fit:
    """A call of Keras' ``fit`` or ``evaluate`` that is known again on the stack, and isn't kept alive."""

    code: CodeType
    callbacks: weakref.ref[Any]
    thread: int


def _fit() -> _Fit | None:
    """The innermost one that is running; None where a loop of the user's calls the callback's methods."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in ("fit", "evaluate") and is_keras(frame.f_code.co_filename):
            callbacks = frame.f_locals.get("callbacks")
            if callbacks is not None and not isinstance(callbacks, (list, tuple)):
                return _Fit(frame.f_code, weakref.ref(callbacks), threading.get_ident())
        frame = frame.f_back
    return None


def _end_interrupted(stay: _Stay, writers: dict[str, Any]) -> None:
    """Where an exception ends ``fit``, Keras' list of callbacks goes without ``on_train_end``."""
    with stay.callback._guard("interrupted fit"):
        if stay in _HERE.stays:
            stay.end()
        _close(writers)


def _close(writers: dict[str, Any]) -> None:
    for writer in writers.values():
        try:
            writer.close()
        except SafeWriterError as error:  # under `strict`, in a place where nothing may be raised
            send(error.finding, may_raise=False)


def _resolved(condition: Any) -> Any:
    value = condition() if callable(condition) else condition
    return True if value is None else value

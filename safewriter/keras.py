"""``TensorBoard``: Keras' callback, whose summaries land, or are reported. For Keras 2 and 3 on TensorFlow.

What it puts right beside the writers is listed in ``docs/tf2.md``. The private methods of Keras' class that it builds
on are pinned by tests.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import summary_ops_v2

from safewriter.facts.strategy import strategy_facts
from safewriter.writer_v2 import create_file_writer

_Stock: Any = tf.keras.callbacks.TensorBoard


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
        super().__init__(log_dir, *args, **keywords)
        self._options: dict[str, Any] = {"strict": strict, "ignore": ignore}
        self._chief_only = chief_only
        self._users_condition: Any = True
        self._epoch_is_over = False
        self._step_of: dict[str, Any] = {}
        self._epoch_context: tuple[Any, Any] | None = None
        self._interrupted: Any = None

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
        """Makes a writer the default, with a step and a condition that a traced function asks anew at each call."""
        if self.update_freq == "epoch" or tf.distribute.get_strategy().num_replicas_in_sync > 1:
            super()._push_writer(writer, step)
            return
        name = "train" if writer is self._writers.get("train") else "val"
        variable = self._step_of.get(name)
        if variable is None:
            with tf.init_scope():
                variable = self._step_of[name] = tf.Variable(0, dtype=tf.int64, trainable=False)
        now = variable
        if isinstance(step, int):  # Keras 3 counts in Python; Keras 2 has a variable of its own
            variable.assign(step)
        else:
            now = step

        def should_record() -> Any:
            due = tf.equal(now % self.update_freq, 0)
            return due or self._epoch_is_over if tf.executing_eagerly() else due

        context = (writer.as_default(now), tf.summary.record_if(should_record))
        self._prev_summary_state.append(context)
        context[0].__enter__()
        context[1].__enter__()

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """See Keras; notes what the default writer was, for an interrupted ``fit``."""
        state = summary_ops_v2._summary_state
        self._users_condition = True if state.is_recording is None else state.is_recording
        before = (state.writer, state.step, state.is_recording)
        super().on_train_begin(logs)
        if self.update_freq == "epoch" and not getattr(self.model, "run_eagerly", False):
            # Summaries of other callbacks at the end of an epoch have a writer; in a function nothing is recorded.
            self._epoch_context = (self._train_writer.as_default(), tf.summary.record_if(tf.executing_eagerly))
            self._epoch_context[0].__enter__()
            self._epoch_context[1].__enter__()
        self._watch_for_interruption(before)

    def on_train_end(self, logs: Any = None) -> None:
        """See Keras."""
        if self._interrupted is not None:
            self._interrupted.detach()
        context, self._epoch_context = self._epoch_context, None
        if context is not None:
            context[1].__exit__(None, None, None)
            context[0].__exit__(None, None, None)
        super().on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """See Keras."""
        self._epoch_is_over = False
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """See Keras; one execution of several steps counts as several."""
        self._epoch_is_over = False
        if "_global_train_batch" in vars(self) and _counts_in_python():
            self._global_train_batch += int(getattr(self.model, "steps_per_execution", 1) or 1) - 1
        super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """See Keras."""
        if self.update_freq == "epoch":  # Keras 3 writes here without a writer, and relies on it
            with tf.summary.record_if(False):
                super().on_train_batch_end(batch, logs)
        else:
            super().on_train_batch_end(batch, logs)
        steps = (self.params or {}).get("steps")
        self._epoch_is_over = steps is not None and batch + 1 >= steps

    def _implements_train_batch_hooks(self) -> bool:
        """Asked by Keras 2, which else leaves out this callback's batch metrics."""
        return bool(self.update_freq != "epoch" or super()._implements_train_batch_hooks())

    def on_test_end(self, logs: Any = None) -> None:
        """See Keras."""
        with tf.summary.record_if(self._users_condition):
            super().on_test_end(logs)

    def _log_epoch_metrics(self, epoch: int, logs: Any) -> None:
        with tf.summary.record_if(self._users_condition):
            super()._log_epoch_metrics(epoch, logs)

    def _log_weights(self, epoch: int) -> None:
        with tf.summary.record_if(self._users_condition):
            super()._log_weights(epoch)

    def _write_keras_model_train_graph(self) -> None:
        with tf.summary.record_if(self._users_condition):
            super()._write_keras_model_train_graph()

    # An interrupted fit.

    def _watch_for_interruption(self, before: tuple[Any, Any, Any]) -> None:
        """Where an exception ends ``fit``, Keras' list of callbacks goes without ``on_train_end``."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_name != "fit":
            frame = frame.f_back  # type: ignore[assignment]
        callbacks = None if frame is None else frame.f_locals.get("callbacks")
        if callbacks is None or isinstance(callbacks, (list, tuple)):
            return
        writers = self._writers
        mine = weakref.ref(self)
        self._interrupted = weakref.finalize(callbacks, _restore, before, writers, mine)
        self._interrupted.atexit = False


def _restore(before: tuple[Any, Any, Any], writers: dict[str, Any], callback: weakref.ref[TensorBoard]) -> None:
    """Gives the thread back the default writer that it had before ``fit``, and closes the callback's."""
    state = summary_ops_v2._summary_state
    if any(state.writer is writer for writer in writers.values()):
        state.writer, state.step, state.is_recording = before
    alive = callback()
    if alive is not None:
        alive._prev_summary_state.clear()
        alive._epoch_context = None
    for writer in writers.values():
        writer.close()


def _counts_in_python() -> bool:
    return _Stock.__module__.startswith("keras.src") and not hasattr(_Stock, "_implements_train_batch_hooks")

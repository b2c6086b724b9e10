"""``TensorBoard``: Keras' callback, whose summaries land, or are reported. For Keras 2 and 3 on TensorFlow.

What it puts right beside the writers is listed in ``docs/tf2.md``. The private methods of Keras' class that it builds
on are pinned by tests. What is ours runs in a guard: a fault in it becomes SW901 and never ends a ``fit``.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import summary_ops_v2

from safewriter.checks.tf2 import Lost, LostLine, lost_line
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Policy, is_users, users_place
from safewriter.keras.stays import HERE, OVER, Stay, running_fit
from safewriter.keras.steps import Steps
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
        self._place = users_place()
        self._begin()

    def _begin(self) -> None:
        self._desk = Desk(Policy.of(**self._options), self._place)
        self._stay: Stay | None = None  # of the writer of the training, for the whole of `fit`
        self._test_stay: Stay | None = None
        self._keep_writer = False  # Keras takes the writer away and puts it back, to change its step
        self._users_condition: Any = True
        self._steps = Steps()

    def __getstate__(self) -> dict[str, Any]:
        """What is copied or pickled, as KerasTuner copies callbacks for each trial: a copy has no ``fit`` yet."""
        own = ("_desk", "_stay", "_test_stay", "_users_condition", "_steps")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

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
            self._steps.now(stay, step)

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

    def _arrive(self, writer: Any, *, training: bool) -> Stay | None:
        """Makes a writer the default one until the end of the training or test; None where it shall not be."""
        fit = running_fit()
        if not hasattr(writer, "_events"):  # not the chief
            return None
        if self.update_freq == "epoch" and (
            fit is None or not training or summary_ops_v2._summary_state.writer is not None
        ):
            return None  # as with Keras; and summaries of the user's find the writer of the user's
        stay = Stay(self, writer, fit, testing=not training)
        stay.arrive()
        if training:
            self._stay = stay
        else:
            self._test_stay = stay
        return stay

    # Whether a summary is recorded.

    def _records(self, stay: Stay) -> Any:
        """The condition of ``record_if`` while a writer of this callback is the default one."""
        with self._guard("recording condition"):
            return self._records_now(stay)
        return True

    def _records_now(self, stay: Stay) -> Any:
        hook = stay.where()
        if hook is OVER:  # the first summary after an interrupted `fit`
            stay.end()
            return summary_ops_v2._summary_state.writer is not None and _resolved(stay.before.condition)
        if all(summary_ops_v2._summary_state.writer is not each for each in self._writers.values()):
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

    def _left_out(self, stay: Stay) -> None:
        """Notes a line of a layer or a ``train_step`` that ``update_freq='epoch'`` leaves out."""
        place = users_place()
        if is_users(place.filename) and "-packages" not in place.filename:
            stay.left_out[str(place)] = None

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """See Keras."""
        with self._guard("condition of the user's"):
            for stay in list(HERE.stays):
                if stay.where() is OVER:  # an exception has ended its `fit`
                    stay.end()
            condition = summary_ops_v2._summary_state.is_recording
            self._users_condition = True if condition is None else condition
            self._steps = Steps()
        super().on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """See Keras."""
        with self._guard("summaries left out"):
            if self._stay is not None:
                lines = [LostLine(place, Lost.EPOCHS_ONLY, traced=True) for place in self._stay.left_out]
                self._stay.writer._events.news += map(lost_line, lines)
        super().on_train_end(logs)

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

    def _stop_trace(self, batch: Any = None) -> None:
        """Called by Keras after the last batch of ``profile_batch``; in Keras 3 ``update_freq`` is asked as well."""
        with tf.summary.record_if(self._users_condition):
            super()._stop_trace(batch)

    def _guard(self, what: str) -> AbstractContextManager[None]:
        return self._desk.guard(f"callback: {what}")


def _resolved(condition: Any) -> Any:
    value = condition() if callable(condition) else condition
    return True if value is None else value

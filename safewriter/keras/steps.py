"""Which step a summary gets while Keras' callback is at work, and whether it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from safewriter.keras.stays import Stay

#: Keras 3, which counts batches in Python; Keras 2 has variables.
IN_PYTHON = not hasattr(tf.keras.callbacks.TensorBoard, "_implements_train_batch_hooks")


class Steps:
    """How many batches there were, and which step a summary gets: one variable, which a function reads at each call.

    Attributes:
        previous: Batches before the latest execution.
        tests: Batches of validation so far, in Keras 2.
    """

    def __init__(self) -> None:
        self.previous = 0
        self.tests = 0
        self._tested: Counted | None = None
        self._variables: dict[bool, Any] = {}
        self._several = 1  # batches that one execution runs
        self._epoch_base = 0

    def now(self, stay: Stay, step: Any) -> None:
        """Notes the step that Keras gives: a number in Keras 3, a variable of its own in Keras 2."""
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            stay.has_step(step if IN_PYTHON else step.value())
        elif IN_PYTHON:
            self._in_python(stay, step)
        elif stay.testing:
            if self._tested is None:
                self._tested = Counted(step, stay.callback)
            self._tested.begin(self.tests)
            stay.count = self._tested
            stay.has_step(self._tested)

    def _in_python(self, stay: Stay, step: int) -> None:
        variable = self._variables.get(stay.testing)  # the same in each validation: a function reads it
        if variable is None:
            with tf.init_scope():
                variable = self._variables[stay.testing] = tf.Variable(0, dtype=tf.int64, trainable=False)
        variable.assign(step)
        stay.has_step(variable)
        optimizer = stay.callback.model.optimizer
        if self._several > 1 and optimizer is not None and not stay.testing:
            if stay.within is None:
                stay.within = Counted(optimizer.iterations, stay.callback)
            stay.within.begin(self.previous + 1)
            stay.within.eagerly = step
            stay.has_step(stay.within)

    def test_ends(self, stay: Stay) -> None:
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
        if self._several > 1 and not IN_PYTHON:
            self.previous = int(callback._train_step)
        elif self._several > 1:
            steps = (callback.params or {}).get("steps")
            end = batch + self._several if steps is None else min(batch + self._several, steps)
            count = self._epoch_base + end
            for name in ("_start_batch", "_stop_batch"):  # of the profiler: the execution that holds them
                if self.previous < getattr(callback, name) < count:
                    setattr(callback, name, count)
            callback._global_train_batch = count - 1  # Keras adds one

    def due(self, stay: Stay, frequency: int) -> bool:
        """Whether the batch, or one of the execution, is one that is recorded."""
        if isinstance(stay.count, Counted):
            return int(stay.count.now()) % frequency == 0
        if self._several > 1 and not stay.testing:
            return bool(int(stay.count) // frequency > self.previous // frequency)
        return int(stay.count) % frequency == 0

    def due_in_a_function(self, stay: Stay, frequency: int) -> Any:
        """The same as a tensor of the function that is being traced."""
        step = stay.step
        if isinstance(step, int):  # several replicas in Keras 3
            return step % frequency == 0
        return tf.equal(tf.convert_to_tensor(step, tf.int64) % frequency, 0)


class Counted:
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


def _converted(step: Counted, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
    now = step.counter
    with step.callback._guard("steps"):
        now = step.now()
    return tf.cast(tf.convert_to_tensor(now), dtype or tf.int64, name=name)


tf.register_tensor_conversion_function(Counted, _converted)

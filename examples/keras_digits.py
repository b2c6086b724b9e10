"""Digits, trained with ``fit`` and with a loop of one's own; every event is read back and counted.

    python examples/keras_digits.py [--broken]

With ``--broken``, one mistake of each family is made besides, each in a directory of its own, and reported.
"""

from __future__ import annotations

import glob
import os
import sys
import tempfile
import threading
import warnings

import safewriter

if "--broken" in sys.argv:
    safewriter.install()  # sees summaries that go nowhere, too

import tensorflow as tf
from sklearn.datasets import load_digits

from safewriter.keras import TensorBoard


def data():
    digits = load_digits()
    x, y = digits.data.astype("float32") / 16, digits.target
    return (x[:1500], y[:1500]), (x[1500:], y[1500:])


def model(*more):
    layers = [tf.keras.layers.Dense(32, activation="relu"), *more, tf.keras.layers.Dense(10)]
    made = tf.keras.Sequential([tf.keras.Input((64,)), *layers])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, metrics=["accuracy"])
    return made


class Activations(tf.keras.layers.Layer):
    """Writes a histogram of what passes through it."""

    def call(self, x):
        tf.summary.histogram("activations", x)
        return x


def with_fit(logs):
    train, test = data()
    callback = TensorBoard(logs, histogram_freq=1, update_freq=10, write_graph=False)
    history = model(Activations()).fit(*train, validation_data=test, epochs=3, verbose=0, callbacks=[callback])
    return history.history["val_accuracy"][-1]


def with_a_loop(logs):
    (x, y), (test_x, test_y) = data()
    trained = model()
    optimizer, loss_of = tf.keras.optimizers.Adam(), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    writers = {name: safewriter.create_file_writer(os.path.join(logs, name)) for name in ("train", "test")}

    @tf.function
    def train_step(x, y, step):
        with tf.GradientTape() as tape:
            loss = loss_of(y, trained(x))
        variables = trained.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))  # noqa: B905 - TensorFlow 2.12 has no strict
        tf.summary.scalar("loss", loss, step=step)

    optimizer.build(trained.trainable_variables)
    for step in range(100):
        batch = slice(step * 15 % 1500, step * 15 % 1500 + 15)
        with writers["train"].as_default():
            train_step(x[batch], y[batch], tf.constant(step, tf.int64))
        if step % 20 == 19:
            with writers["test"].as_default():
                tf.summary.scalar("loss", loss_of(test_y, trained(test_x)), step=step)
    for writer in writers.values():
        writer.close()
    return [writer.report() for writer in writers.values()]


def never_the_default(logs):
    """`as_default()` without `with`."""
    writer = safewriter.create_file_writer(logs)
    writer.as_default()
    tf.summary.scalar("loss", 1.0, step=0)
    writer.close()


def frozen_step(logs):
    """The step is a number of Python's, and so a constant of the function."""
    writer = safewriter.create_file_writer(logs)
    step = 0

    @tf.function
    def train():
        tf.summary.scalar("loss", 1.0, step=step)

    with writer.as_default():
        for step in range(20):  # noqa: B007 - that is the mistake
            train()
    writer.close()


def shared_function(logs):
    """Training and testing share one function: it keeps the writer that it was traced under."""
    train, test = (safewriter.create_file_writer(os.path.join(logs, name)) for name in ("train", "test"))
    evaluate = tf.function(lambda loss, step: tf.summary.scalar("loss", loss, step=step))
    for writer in (train, test):
        with writer.as_default():
            evaluate(tf.constant(1.0), tf.constant(0, tf.int64))
    for writer in (test, train):
        writer.close()


def condition_of_python(logs):
    """Every tenth step is meant to be recorded; the function asked once."""
    writer = safewriter.create_file_writer(logs)
    train = tf.function(lambda step: tf.summary.scalar("loss", 1.0, step=step))
    with writer.as_default():
        for step in range(100):
            with tf.summary.record_if(step % 10 == 0):
                train(tf.constant(step, tf.int64))
    writer.close()


def layer_between_epochs(logs):
    """A layer writes in each batch, and the callback records at the end of an epoch."""
    train, _ = data()
    callback = TensorBoard(logs, write_graph=False)
    model(Activations()).fit(*train, verbose=0, callbacks=[callback])


def two_fits(logs):
    """Two fits in one directory."""
    train, _ = data()
    for _run in range(2):
        model().fit(*train, epochs=2, verbose=0, callbacks=[TensorBoard(logs, write_graph=False)])


def not_a_number(logs):
    """The loss diverges."""
    with safewriter.create_file_writer(logs).as_default():
        tf.summary.scalar("loss", tf.math.log(0.0), step=0)


def other_thread(logs):
    """The default writer is one of each thread."""
    with safewriter.create_file_writer(logs).as_default():
        tf.summary.scalar("loss", 1.0, step=0)
        thread = threading.Thread(target=lambda: tf.summary.scalar("accuracy", 0.5, step=0))
        thread.start()
        thread.join()


BROKEN = (
    never_the_default,
    frozen_step,
    shared_function,
    condition_of_python,
    layer_between_epochs,
    two_fits,
    not_a_number,
    other_thread,  # reported when the program ends: until then the line may find a writer
)


def points(logs):
    """Values in the event files below a directory, by TensorFlow's own reader."""
    files = glob.glob(f"{logs}/**/*tfevents*", recursive=True)
    records = tf.data.TFRecordDataset(files)
    return sum(len(tf.compat.v1.Event.FromString(record).summary.value) for record in records.as_numpy_iterator())


def main():
    logs = tempfile.mkdtemp()
    accuracy = with_fit(f"{logs}/fit")
    reports = with_a_loop(f"{logs}/loop")
    events, landed = sum(each.events for each in reports), sum(each.landed for each in reports)
    print(f"the loop: {events} events, {landed} landed; TensorFlow reads {points(f'{logs}/loop')}")
    print(
        f"fit: TensorFlow reads {points(f'{logs}/fit')} values; accuracy {'above' if accuracy > 0.5 else 'below'} 0.5"
    )
    if "--broken" in sys.argv:
        warnings.formatwarning = lambda warning, category, *_: f"{category.__name__}: {warning}\n"
        for mistake in BROKEN:
            print(f"\n{mistake.__name__}: {mistake.__doc__}", file=sys.stderr, flush=True)
            mistake(f"{logs}/{mistake.__name__}")


if __name__ == "__main__":
    main()

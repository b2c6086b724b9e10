"""Digits, trained with ``fit`` and with a loop of one's own; every event is read back and counted.

    python examples/keras_digits.py [--broken]

With ``--broken``, one mistake of each family is made besides, and reported.
"""

from __future__ import annotations

import glob
import sys
import tempfile

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


def model():
    layers = [tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(10)]
    made = tf.keras.Sequential(layers)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, metrics=["accuracy"])
    return made


def with_fit(logs):
    train, test = data()
    model().fit(*train, validation_data=test, epochs=3, verbose=0, callbacks=[TensorBoard(logs)])


def with_a_loop(logs):
    (x, y), _ = data()
    trained = model()
    optimizer, loss_of = tf.keras.optimizers.Adam(), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    writer = safewriter.create_file_writer(logs)

    @tf.function
    def train_step(x, y, step):
        with tf.GradientTape() as tape:
            loss = loss_of(y, trained(x))
        variables = trained.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))  # noqa: B905 - TensorFlow 2.12 has no strict
        tf.summary.scalar("loss", loss, step=step)

    trained(x[:1])
    optimizer.build(trained.trainable_variables)
    with writer.as_default():
        for step in range(100):
            batch = slice(step * 15 % 1500, step * 15 % 1500 + 15)
            train_step(x[batch], y[batch], tf.constant(step, tf.int64))
    writer.close()
    return writer.report()


def broken(logs):
    writer = safewriter.create_file_writer(logs)
    step = 0

    @tf.function
    def frozen():
        tf.summary.scalar("frozen", 1.0, step=step)

    with writer.as_default():
        for step in range(20):  # noqa: B007 - that is the mistake
            frozen()  # the step is a constant of the function: SW308
    tf.summary.scalar("outside", 1.0, step=1)  # no writer is the default: SW307
    writer.close()


def points(logs):
    """Values in the event files below a directory, by TensorFlow's own reader."""
    files = glob.glob(f"{logs}/**/*tfevents*", recursive=True)
    records = tf.data.TFRecordDataset(files)
    return sum(len(tf.compat.v1.Event.FromString(record).summary.value) for record in records.as_numpy_iterator())


def main():
    logs = tempfile.mkdtemp()
    with_fit(f"{logs}/fit")
    report = with_a_loop(f"{logs}/loop")
    print(f"the loop: {report.events} events, {report.landed} landed; TensorFlow reads {points(f'{logs}/loop')}")
    print(f"fit: TensorFlow reads {points(f'{logs}/fit')} values")
    if "--broken" in sys.argv:
        broken(f"{logs}/broken")


if __name__ == "__main__":
    main()

"""Keras' callback and ours: what the one loses, the other writes or reports."""

import os
import re
import subprocess
import sys

import pytest

from safewriter.eventfile.read import read_events

PROGRAM = """
import sys
import numpy as np
import tensorflow as tf
if sys.argv[1] == "ours":
    from safewriter.keras import TensorBoard
else:
    TensorBoard = tf.keras.callbacks.TensorBoard

class Layer(tf.keras.layers.Layer):
    def call(self, x):
        tf.summary.scalar("layer", tf.reduce_mean(x))
        return x

class User(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        tf.summary.scalar("user", 1.0, step=epoch)

class Stop(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt

def fit(*others, layer=False, steps=1, logs="logs", **options):
    model = tf.keras.Sequential([Layer()] * layer + [tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=steps)
    callback = TensorBoard(logs, write_graph=False, **options)
    x, y = np.zeros((40, 2)), np.zeros((40, 1))
    try:
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[callback, *others])
    except KeyboardInterrupt:
        pass

"""

#: What is fitted, a tag, and the steps that it is to have, with Keras 3 and with Keras 2.
PUT_RIGHT = {
    "epoch metrics beside update_freq=7": ("fit(update_freq=7)", "epoch_loss", [0, 1], [0, 1]),
    "a user's epoch summary": ("fit(User())", "user", [0, 1], [0, 1]),
    "a user's epoch summary beside update_freq=7": ("fit(User(), update_freq=7)", "user", [0, 1], [0, 1]),
    "a layer's step": ("fit(layer=True, update_freq=1)", "layer", [*range(1, 21)], [*range(20)]),
    "a layer's step, now and then": ("fit(layer=True, update_freq=5)", "layer", [5, 10, 15, 20], [0, 5, 10, 15]),
    "steps per execution": ("fit(steps=5, update_freq=1)", "batch_loss", [5, 10, 15, 20], [5, 10, 15, 20]),
}
KERAS_2_HAS = {"epoch metrics beside update_freq=7"}


def steps(directory, tag):
    """The steps of a tag in all files below a directory."""
    return [
        event.step
        for parent, _, names in os.walk(directory)
        for name in sorted(names)
        for event in read_events(os.path.join(parent, name))
        for value in event.summary.value
        if value.tag.split("/")[-1] == tag
    ]


def is_keras_2():
    """Whether this environment's TensorFlow brings Keras 2."""
    import keras

    return keras.__version__.startswith("2.")


@pytest.mark.parametrize("name", PUT_RIGHT)
def test_what_keras_loses_is_put_right(run_forked, tmp_path, name):
    """With our callback the tag has its steps, and nothing is warned; with Keras' own it has not."""
    call, tag, keras_3, keras_2 = PUT_RIGHT[name]
    expected = keras_2 if is_keras_2() else keras_3
    for which in ("stock", "ours"):
        (tmp_path / which).mkdir()
        outcome = run_forked(PROGRAM + call, which, cwd=tmp_path / which)
        assert outcome.exit_code == 0, outcome.stderr
    assert outcome.codes == []
    assert steps(tmp_path / "ours", tag) == expected
    if not (is_keras_2() and name in KERAS_2_HAS):
        assert steps(tmp_path / "stock", tag) != expected


@pytest.mark.parametrize("frequency", ["'epoch'", "1"])
def test_an_interrupted_fit_leaves_no_default_writer(run_forked, tmp_path, frequency):
    """After the handler of the interruption a summary of the user's finds no writer."""
    program = PROGRAM + f"fit(Stop(), update_freq={frequency})\nprint(tf.summary.scalar('mine', 1.0, step=1).numpy())"
    assert run_forked(program, "ours", cwd=tmp_path).stdout == "False\n"
    assert steps(tmp_path, "epoch_loss") == [0]


def test_a_default_writer_of_the_users_is_given_back(run_forked, tmp_path):
    """The writer that was the default before an interrupted fit is the default after it."""
    program = PROGRAM + "with tf.summary.create_file_writer('mine').as_default():\n"
    program += "    fit(Stop(), update_freq=1)\n    tf.summary.scalar('score', 1.0, step=1)\n"
    run_forked(program, "ours", cwd=tmp_path)
    assert steps(tmp_path / "mine", "score") == [1]


def test_a_users_condition_holds(run_forked, tmp_path):
    """``record_if(False)`` around ``fit`` switches the callback off, as in Keras 3."""
    if is_keras_2():
        pytest.skip("Keras 2 switches recording on around each of its own summaries")
    run_forked(PROGRAM + "with tf.summary.record_if(False):\n    fit()", "ours", cwd=tmp_path)
    assert steps(tmp_path, "epoch_loss") == []


def test_two_fits_on_the_same_steps_are_reported(run_forked, tmp_path):
    """SW107 names the tag and the steps."""
    outcome = run_forked(PROGRAM + "fit()\nfit()", "ours", cwd=tmp_path)
    assert set(outcome.codes) == {"SW107"}, outcome.stderr


def test_a_metric_that_is_not_a_number_is_reported(run_forked, tmp_path):
    """SW401 names the metric."""
    program = PROGRAM.replace("np.zeros((40, 1))", "np.full((40, 1), np.nan)") + "fit()"
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert set(outcome.codes) == {"SW401"}, outcome.stderr
    assert re.search("epoch_loss", outcome.stderr)


def test_only_the_chief_writes(run_forked, tmp_path):
    """With ``chief_only`` a worker that is not the chief leaves no file."""
    program = PROGRAM + "fit(chief_only=True)\nfit(logs='all')"
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
    run_forked(program, "ours", cwd=tmp_path, env={"TF_CONFIG": cluster})
    assert steps(tmp_path / "logs", "epoch_loss") == []
    assert steps(tmp_path / "all", "epoch_loss") == [0, 1]


def test_a_directory_that_cannot_be_written_to_is_an_error(run_forked, tmp_path):
    """A file stands where the directory should be: SW102 when ``fit`` begins."""
    (tmp_path / "logs").write_text("")
    outcome = run_forked(PROGRAM + "fit()", "ours", cwd=tmp_path)
    assert outcome.exit_code == 1
    assert "SW102" in outcome.stderr


def test_the_example_counts_its_events_and_reports_its_mistakes():
    """The digits are trained with both, each event lands, and both mistakes are reported."""
    path = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "examples", "keras_digits.py")
    ended = subprocess.run([sys.executable, path, "--broken"], capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert "100 events, 100 landed; TensorFlow reads 100" in ended.stdout
    assert set(re.findall(r"Warning: (SW\d+)", ended.stderr)) == {"SW307", "SW308"}


def test_what_update_freq_switches_off_is_reported_under_install(run_forked, tmp_path):
    """SW310 points at a user's epoch summary, and with Keras 3 at ``fit`` for its own; not where they are recorded."""
    install = "import safewriter\nsafewriter.install()\n"
    outcome = run_forked(install + PROGRAM + "fit(User(), update_freq=7)", "stock", cwd=tmp_path)
    assert set(outcome.codes) == {"SW310"}, outcome.stderr
    assert len(outcome.codes) == (1 if is_keras_2() else 2), outcome.stderr
    assert run_forked(install + PROGRAM + "fit(User(), update_freq=1, logs='all')", "stock", cwd=tmp_path).codes == []

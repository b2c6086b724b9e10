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
    "the graph of profiled batches": ("fit(profile_batch=(2, 3), update_freq=7)", "batch_3", [3], [3]),
    "a layer's step": ("fit(layer=True, update_freq=1)", "layer", [*range(1, 21)], [*range(20)]),
    "a layer's step, now and then": ("fit(layer=True, update_freq=5)", "layer", [5, 10, 15, 20], [0, 5, 10, 15]),
    "steps per execution": ("fit(steps=5, update_freq=1)", "batch_loss", [5, 10, 15, 20], [5, 10, 15, 20]),
}
KERAS_2_HAS = {"epoch metrics beside update_freq=7", "the graph of profiled batches"}


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


#: Ways in which a `fit` ends before its time: what the callback's neighbour does, and what the program catches.
INTERRUPTIONS = {
    "KeyboardInterrupt": "def on_epoch_end(self, epoch, logs=None): raise KeyboardInterrupt",
    "an error in a batch": "def on_train_batch_end(self, batch, logs=None): 1 / (batch - 4)",
    "StopIteration": "def on_epoch_begin(self, epoch, logs=None): raise StopIteration",
    "an error in the validation": "def on_test_batch_end(self, batch, logs=None): raise LookupError",
    "SystemExit": "def on_train_batch_begin(self, batch, logs=None): raise SystemExit(3)",
}


@pytest.mark.parametrize("frequency", ["'epoch'", "1"])
@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_an_interrupted_fit_leaves_no_default_writer(name, frequency, run_forked, tmp_path):
    """However it ends, and though its traceback is kept, a summary of the user's goes where it went before."""
    program = (
        PROGRAM
        + f"""
class Break(tf.keras.callbacks.Callback):
    {INTERRUPTIONS[name]}

def interrupted(logs):
    try:
        validation = np.zeros((8, 2)), np.zeros((8, 1))
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        callbacks = [TensorBoard(logs, update_freq={frequency}, write_graph=False), Break()]
        model.fit(np.zeros((40, 2)), np.zeros((40, 1)), batch_size=4, verbose=0, validation_data=validation,
                  callbacks=callbacks)
    except BaseException as error:
        return error

kept = [interrupted("first")]
print(tf.summary.scalar("mine", 1.0, step=1).numpy())
with tf.summary.create_file_writer("mine").as_default():
    kept.append(interrupted("second"))
    tf.summary.scalar("score", 1.0, step=1)
    tf.summary.scalar("score", 1.0, step=2)
print(tf.summary.scalar("mine", 1.0, step=1).numpy(), len(list(filter(None, kept))))
"""
    )
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert outcome.stdout == "False\nFalse 2\n", outcome.stderr
    assert outcome.codes == []
    assert steps(tmp_path, "mine") == []
    assert steps(tmp_path / "mine", "score") == [1, 2]
    assert steps(tmp_path / "first", "score") == steps(tmp_path / "second", "score") == []


def test_an_interrupted_evaluation_leaves_no_default_writer(run_forked, tmp_path):
    """The same for ``evaluate`` by itself."""
    program = (
        PROGRAM
        + """
class Break(tf.keras.callbacks.Callback):
    def on_test_batch_end(self, batch, logs=None):
        raise LookupError

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0)
callbacks = [TensorBoard("logs", update_freq=1, write_graph=False), Break()]
try:
    model.evaluate(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=callbacks)
except LookupError as error:
    kept = error
print(tf.summary.scalar("mine", 1.0, step=1).numpy())
"""
    )
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert outcome.stdout == "False\n", outcome.stderr
    assert steps(tmp_path, "mine") == []


def test_a_fit_that_ends_early_gives_everything_back(run_forked, tmp_path):
    """After ``stop_training``, within another ``fit``, and in another thread, the default writer is that of before."""
    program = (
        PROGRAM
        + """
import threading
class Early(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True
class Inner(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        fit(logs=f"inner{epoch}", update_freq=1)
        tf.summary.scalar("between", 1.0, step=epoch)
with tf.summary.create_file_writer("mine").as_default():
    fit(Early(), update_freq=1, logs="early")
    tf.summary.scalar("score", 1.0, step=1)
    fit(Inner(), update_freq=1, logs="outer")
    tf.summary.scalar("score", 1.0, step=2)
    thread = threading.Thread(target=fit, kwargs={"update_freq": 1, "logs": "thread"})
    thread.start()
    thread.join()
    tf.summary.scalar("score", 1.0, step=3)
"""
    )
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert outcome.codes == [], outcome.stderr
    assert steps(tmp_path / "mine", "score") == [1, 2, 3]
    assert steps(tmp_path / "outer", "between") == [0, 1]
    for run, epochs in (("early", [0]), ("outer", [0, 1]), ("inner1", [0, 1]), ("thread", [0, 1])):
        assert steps(tmp_path / run, "epoch_loss") == epochs


def test_two_callbacks_in_one_fit(run_forked, tmp_path):
    """Keras' own raise where both record batches; ours end well, and leave no default writer."""
    program = (
        PROGRAM
        + """
try:
    fit(TensorBoard("other", write_graph=False, update_freq=1), update_freq=1)
except AttributeError as error:
    print(type(error).__name__)
print(tf.summary.scalar("mine", 1.0, step=1).numpy())
"""
    )
    for which in ("stock", "ours"):
        (tmp_path / which).mkdir()
    outcome = run_forked(program, "ours", cwd=tmp_path / "ours")
    assert outcome.stdout == "False\n", outcome.stderr
    assert steps(tmp_path / "ours" / "logs", "epoch_loss") == steps(tmp_path / "ours" / "other", "epoch_loss") == [0, 1]
    assert "AttributeError" in run_forked(program, "stock", cwd=tmp_path / "stock").stdout


def test_a_writer_of_the_users_is_left_alone(run_forked, tmp_path):
    """A summary to a writer of the user's, in ``train_step`` or where it is the default of ``fit``, goes there."""
    program = (
        PROGRAM
        + """
writer = tf.summary.create_file_writer("mine")
class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.count = tf.keras.layers.Dense(1), tf.Variable(0, dtype=tf.int64, trainable=False)
    def call(self, x):
        return self.dense(x)
    def train_step(self, data):
        with writer.as_default():
            tf.summary.scalar("size", 1.0, step=self.count)
        self.count.assign_add(1)
        return super().train_step(data)
model = Model()
for frequency in ("epoch", 7):
    model.compile("sgd", "mse")
    callback = TensorBoard(f"logs{frequency}", update_freq=frequency, write_graph=False)
    model.fit(np.zeros((40, 2)), np.zeros((40, 1)), batch_size=4, verbose=0, callbacks=[callback])
with writer.as_default():
    fit(User(), logs="third")
"""
    )
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert outcome.codes == [], outcome.stderr
    assert steps(tmp_path / "mine", "size") == list(range(20))
    assert steps(tmp_path / "mine", "user") == [0, 1]
    assert steps(tmp_path / "third", "user") == []


def test_executions_of_several_steps(run_forked, tmp_path):
    """Executions of 4 in epochs of 10: a layer's summary has the step of each batch, metrics that of the last one."""
    outcome = run_forked(PROGRAM + "fit(layer=True, steps=4, update_freq=1)", "ours", cwd=tmp_path)
    assert outcome.codes == [], outcome.stderr
    first = 0 if is_keras_2() else 1
    assert steps(tmp_path, "layer") == list(range(first, first + 20))
    assert steps(tmp_path, "batch_loss") == [4, 8, 10, 14, 18, 20]


EVERYTHING = """
import pathlib
layers = [tf.keras.layers.Embedding(10, 4), tf.keras.layers.GlobalAveragePooling1D(), tf.keras.layers.Dense(1)]
model = tf.keras.Sequential([tf.keras.Input((3,)), *layers])
eagerly = sys.argv[2] == "eagerly"
model.compile("sgd", "mse", metrics=["mae"], run_eagerly=eagerly)
x, y = np.zeros((40, 3)), np.zeros((40, 1))
options = dict(histogram_freq=1, write_graph=True, write_images=True, write_steps_per_second=True, update_freq="batch")
options.update(profile_batch=(2, 3), embeddings_freq=1)
callback = TensorBoard("logs", **options)
model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=(x, y), callbacks=[callback])
model.evaluate(x, y, verbose=0, callbacks=[TensorBoard("evaluated", write_graph=False)])
model.predict(x, verbose=0, callbacks=[TensorBoard("predicted", write_graph=False)])
kinds = {path.parent.name + "/" + path.suffix for path in pathlib.Path("logs").rglob("*") if path.is_file()}
print(sorted(kind for kind in kinds if "tfevents" not in kind and ".v2" not in kind))
"""


@pytest.mark.parametrize("how", ["traced", "eagerly"])
def test_the_whole_behaviour_of_keras_callback(how, run_forked, tmp_path):
    """With all options on, each tag has the points that Keras' callback writes, and no other file is missing."""
    found = {}
    for which in ("stock", "ours"):
        (tmp_path / which).mkdir()
        outcome = run_forked(PROGRAM + EVERYTHING, which, how, cwd=tmp_path / which)
        assert (outcome.exit_code, outcome.codes) == (0, []), outcome.stderr
        tags = {}
        for parent, _, names in os.walk(tmp_path / which):
            for name in names:
                if ".v2" in name:
                    for event in read_events(os.path.join(parent, name)):
                        for value in event.summary.value:
                            tags.setdefault((os.path.basename(parent), value.tag), []).append(event.step)
        shown = outcome.stdout.splitlines()[-1] if outcome.stdout else ""
        found[which] = tags, re.sub(r"\d{4}_[\d_]+/", "run/", shown)
    assert len(found["stock"][0]) > 12
    assert found["ours"] == found["stock"]


def test_the_graph_of_profiled_batches_is_written_with_the_epochs(run_forked, tmp_path):
    """With ``update_freq="epoch"`` too: there Keras' callback writes it."""
    for which in ("stock", "ours"):
        (tmp_path / which).mkdir()
        run_forked(PROGRAM + "fit(profile_batch=(2, 3))", which, cwd=tmp_path / which)
        assert steps(tmp_path / which, "batch_3") == [3]


def test_a_callback_can_be_copied_and_pickled(run_forked, tmp_path):
    """As KerasTuner copies each callback for each trial; a copy writes as its original does, in its own directory."""
    program = (
        PROGRAM
        + """
import copy, pickle
original = TensorBoard("logs", write_graph=False, update_freq=5)
copies = [copy.deepcopy(original), copy.copy(original), pickle.loads(pickle.dumps(original))]
for number, TensorBoard in enumerate(copies):
    TensorBoard.log_dir = f"trial{number}"
    callback, TensorBoard = TensorBoard, lambda *_, **__: callback
    fit(layer=True)
"""
    )
    for which in ("stock", "ours"):
        (tmp_path / which).mkdir()
        outcome = run_forked(program, which, cwd=tmp_path / which)
        assert (outcome.exit_code, outcome.codes) == (0, []), outcome.stderr
        for number in range(3):
            assert steps(tmp_path / which / f"trial{number}", "epoch_loss") == [0, 1]


#: Our own functions in the callback; what fails in one of them must not end a `fit`.
PARTS = {
    "TensorBoard": ["_arrive", "_records_now", "_left_out"],
    "Steps": ["now", "_in_python", "test_ends", "epoch_begins", "batch_begins", "due", "due_in_a_function"],
    "Stay": ["arrive", "leave", "where", "end"],
    "steps.Counted": ["begin", "now"],
    "": ["running_fit", "_resolved"],
}


@pytest.mark.parametrize(("owner", "part"), [(owner, part) for owner, parts in PARTS.items() for part in parts])
def test_a_fault_of_ours_does_not_end_a_fit(owner, part, run_forked, tmp_path):
    """Each part of ours is made to fail: ``fit`` goes on to its end, and what was wrong is SW901 or nothing."""
    program = (
        PROGRAM
        + f"""
import safewriter.keras as module
def broken(*_, **__):
    raise ZeroDivisionError("injected")
setattr(module.{owner} if {owner!r} else module, {part!r}, broken)
fit(User(), layer=True, steps=2, update_freq=2)
fit(User(), logs="second")
print("ended")
""".replace("module. if", "module if")
    )
    outcome = run_forked(program, "ours", cwd=tmp_path)
    assert outcome.stdout == "ended\n", outcome.stderr
    assert set(outcome.codes) <= {"SW901", "SW204", "SW404", "SW507"}, outcome.stderr
    assert steps(tmp_path / "second", "epoch_loss") == [0, 1]


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


def test_hints_are_in_keras_words(run_forked, tmp_path):
    """What Keras' users have to change is said in terms of ``fit`` and the callback."""
    program = (
        PROGRAM
        + """
fit(); fit(); fit(TensorBoard('logs'))
model, one = tf.keras.Sequential([tf.keras.layers.Dense(1)]), np.zeros((8, 1))
model.compile("sgd", "mse")
callback = TensorBoard("evaluated")
model.fit(one, one, validation_data=(one, one), verbose=0, callbacks=[callback])
model.evaluate(one, one, verbose=0, callbacks=[callback])
"""
    )
    said = run_forked(program, "ours", cwd=tmp_path).stderr
    assert "initial_epoch=N" in said
    assert "one TensorBoard callback for one `fit`" in said
    assert "`evaluate` wrote its results to the step of the last validation" in said
    assert "create_file_writer(" not in said


def test_wrong_options_are_refused(run_forked, tmp_path):
    """An unknown code is refused where the callback is constructed, and a wrong option of Keras' by Keras."""
    outcome = run_forked(PROGRAM + "TensorBoard('logs', ignore='SW999')", "ours", cwd=tmp_path)
    assert "SW999" in outcome.stderr.splitlines()[-1]
    assert outcome.exit_code == 1
    for which in ("stock", "ours"):
        outcome = run_forked(PROGRAM + "TensorBoard('logs', profile_batch=-1)", which, cwd=tmp_path)
        assert outcome.stderr.splitlines()[-1].startswith("ValueError: profile_batch must be"), outcome.stderr


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
    """The digits are trained with both, each event lands, and one mistake of each family is reported."""
    path = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "examples", "keras_digits.py")
    ended = subprocess.run([sys.executable, path, "--broken"], capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert "the loop: 105 events, 105 landed; TensorFlow reads 105" in ended.stdout
    assert "accuracy above 0.5" in ended.stdout
    assert set(re.findall(r"Warning: (SW\d+)", ended.stderr)) == {
        "SW107",
        *(f"SW{code}" for code in range(307, 311)),
        "SW401",
    }


def test_what_update_freq_switches_off_is_reported_under_install(run_forked, tmp_path):
    """SW310 points at a user's epoch summary, and with Keras 3 at ``fit`` for its own; not where they are recorded."""
    install = "import safewriter\nsafewriter.install()\n"
    outcome = run_forked(install + PROGRAM + "fit(User(), update_freq=7)", "stock", cwd=tmp_path)
    assert set(outcome.codes) == {"SW310"}, outcome.stderr
    assert len(outcome.codes) == (1 if is_keras_2() else 2), outcome.stderr
    assert run_forked(install + PROGRAM + "fit(User(), update_freq=1, logs='all')", "stock", cwd=tmp_path).codes == []

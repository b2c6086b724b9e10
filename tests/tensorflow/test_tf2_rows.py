"""What TF2 programs and Keras' callback lose silently, row by row: a real run of each, with TensorFlow's part and ours.

A row is a loss that was measured with TensorFlow's own writer or Keras' own callback. Each run shows what they leave,
and what ours does about it: nothing is lost, or a code is reported.

Covered elsewhere, for they are faults of processes and disks: a deleted file or directory, a truncated file, SIGKILL
and ``os._exit``, an idle loop, a forked child, a closed writer that is used (``test_writer_v2.py``), and a full disk
(``docs/landing.md`` and its benchmark).
"""

import collections
import os
import textwrap

import pytest

from safewriter.eventfile.read import read_events

STOCK = """
import tensorflow as tf
create, TensorBoard = tf.summary.create_file_writer, tf.keras.callbacks.TensorBoard
"""
ALONE = """
import tensorflow as tf
import safewriter
from safewriter.keras import TensorBoard
create = safewriter.create_file_writer
"""
INSTALLED = "import safewriter\nsafewriter.install()\n" + STOCK

KERAS = """
import numpy as np

class Probe(tf.keras.layers.Layer):
    def call(self, x):
        tf.summary.scalar("probe", tf.reduce_mean(x))
        return x

class EachEpoch(tf.keras.callbacks.Callback):
    def __init__(self, call):
        super().__init__()
        self.call = call
    def on_epoch_end(self, epoch, logs=None):
        self.call(epoch)

def fit(*others, probe=False, steps=1, y=0.0, logs="logs", **options):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)] + [Probe()] * probe)
    model.compile("sgd", "mse", steps_per_execution=steps)
    callback = TensorBoard(logs, write_graph=False, **options)
    x, y = np.zeros((40, 2)), np.full((40, 1), y)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[callback, *others])
"""

LOOP = """
writer = create("logs")
@tf.function
def f(step):
    tf.summary.scalar("loss", 1.0, step=step)
def at(step):
    return tf.constant(step, tf.int64)
"""

N5, N20 = list(range(5)), list(range(20))

#: A row: the program, what is left of each tag with TensorFlow's part, the codes with ours alone and under install().
Row = collections.namedtuple("Row", "program stock alone installed")
ROWS = {
    "no default writer": Row(
        "writer = create('logs')\nfor n in range(5): tf.summary.scalar('loss', 1.0, step=n)", {}, ["SW307"], ["SW307"]
    ),
    "as_default() without with": Row(
        "writer = create('logs')\nwriter.as_default()\ntf.summary.scalar('loss', 1.0, step=0)", {}, ["SW307"], ["SW307"]
    ),
    "another thread": Row(
        LOOP
        + """
        import threading
        with writer.as_default():
            tf.summary.scalar("here", 1.0, step=0)
            thread = threading.Thread(target=lambda: tf.summary.scalar("there", 1.0, step=0))
            thread.start(); thread.join()
        """,
        {"here": [0]},
        [],
        ["SW307"],
    ),
    "traced before the writer": Row(
        LOOP + "f(at(0))\nwith writer.as_default():\n    for n in range(5): f(at(n))", {}, ["SW307"], ["SW307"]
    ),
    "traced under another writer": Row(
        LOOP
        + """
        with writer.as_default():
            f(at(0))
        with create("other").as_default():
            for n in range(1, 5):
                f(at(n))
        """,
        {"loss": N5},
        ["SW309"],
        ["SW309"],
    ),
    "the block has ended": Row(  # nothing is lost: all are in the file of the writer that the function knows
        LOOP + "with writer.as_default():\n    f(at(0))\nfor n in range(1, 5): f(at(n))", {"loss": N5}, [], []
    ),
    "step of a closure": Row(
        LOOP
        + """
        now = 0
        @tf.function
        def g():
            tf.summary.scalar("loss", 1.0, step=now)
        with writer.as_default():
            for now in range(20):
                g()
        """,
        {"loss": [0] * 20},
        ["SW404"],
        ["SW308"],
    ),
    "set_step with a number": Row(
        LOOP
        + """
        g = tf.function(lambda: tf.summary.scalar("loss", 1.0))
        with writer.as_default():
            for n in range(20):
                tf.summary.experimental.set_step(n)
                g()
        """,
        {"loss": [0] * 20},
        ["SW404"],
        ["SW308"],
    ),
    "step never incremented": Row(
        LOOP
        + "now = tf.Variable(0, dtype=tf.int64)\nwith writer.as_default():\n    for n in range(20): f(now.value())",
        {"loss": [0] * 20},
        ["SW404"],
        ["SW404"],
    ),
    "step as a Python argument": Row(
        LOOP + "with writer.as_default():\n    for n in range(5): f(n)", {"loss": N5}, [], []
    ),
    "record_if(bool) traced while False": Row(
        LOOP
        + """
        with writer.as_default():
            for n in range(20):
                with tf.summary.record_if(n >= 10):
                    f(at(n))
        """,
        {},
        ["SW307"],
        ["SW310"],
    ),
    "record_if(lambda) of Python": Row(
        LOOP
        + """
        with writer.as_default(), tf.summary.record_if(lambda: n % 10 == 0):
            for n in range(20):
                f(at(n))
        """,
        {"loss": N20},
        [],
        ["SW310"],
    ),
    "record_if(False) on purpose": Row(
        LOOP
        + """
        with writer.as_default():
            tf.summary.scalar("here", 1.0, step=0)
            with tf.summary.record_if(False):
                f(at(0))
        """,
        {"here": [0]},
        [],
        [],
    ),
    "in a replica": Row(  # a note in the report: see below
        """
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
        )
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        writer = create("logs")
        @tf.function
        def f(step):
            def replica():
                tf.summary.scalar("loss", 1.0, step=step)
            strategy.run(replica)
        with writer.as_default():
            f(tf.constant(0, tf.int64))
        if hasattr(writer, "report"):
            print(*[each.message.split(" is ")[0] for each in writer.report().findings if each.code == "SW205"])
        """,
        {"loss": [0]},
        [],
        [],
    ),
    "py_function": Row(
        LOOP
        + """
        def note(x):
            tf.summary.scalar("there", 1.0, step=x)
            return x
        with writer.as_default():
            tf.summary.scalar("here", 1.0, step=0)
            tf.function(lambda x: tf.py_function(note, [x], tf.int64))(at(0))
        """,
        {"here": [0]},
        [],
        ["SW307"],
    ),
    "Dataset.map before the writer": Row(
        LOOP
        + """
        def note(x):
            tf.summary.scalar("there", 1.0, step=x)
            return x
        data = tf.data.Dataset.range(5).map(note)
        with writer.as_default():
            for x in data:
                tf.summary.scalar("here", 1.0, step=x)
        """,
        {"here": N5},
        [],
        ["SW307"],
    ),
    "tags of scopes and loops": Row(  # nothing is lost: the report names the tags as they are
        LOOP
        + """
        @tf.function
        def g(step):
            for _ in "ab":
                with tf.name_scope("a"):
                    tf.summary.scalar("loss", 1.0, step=step)
            for _ in tf.range(1):
                tf.summary.scalar("x", 1.0, step=step)
            if step >= 0:
                tf.summary.scalar("x", 1.0, step=step)
        with writer.as_default():
            g(at(0))
        """,
        {"a/loss": [0], "a_1/loss": [0], "while/x": [0], "cond/x": [0]},
        [],
        [],
    ),
    "v1 op without a global step": Row(
        LOOP + "with writer.as_default():\n    tf.compat.v1.summary.scalar('loss', 1.0)", {}, ["SW307"], ["SW312"]
    ),
    "recompute_grad": Row(  # nothing is lost: each point is there twice, at its step
        LOOP
        + """
        weight, now = tf.Variable(2.0), tf.Variable(0, dtype=tf.int64)
        @tf.recompute_grad
        def block(x):
            tf.summary.scalar("loss", x * weight, step=now)
            return x * weight
        @tf.function
        def train():
            with tf.GradientTape() as tape:
                y = block(tf.constant(1.0))
            tape.gradient(y, weight)
            now.assign_add(1)
        with writer.as_default():
            for _ in range(3):
                train()
        """,
        {"loss": [0, 0, 1, 1, 2, 2]},
        [],
        [],
    ),
    "two writers on one directory": Row(
        LOOP
        + """
        other = create("logs")
        for each in (writer, other):
            with each.as_default():
                tf.summary.scalar("loss", 1.0, step=0)
        """,
        {"loss": [0, 0]},
        ["SW204"],
        ["SW204"],
    ),
    "NaN": Row(
        LOOP + "with writer.as_default(): tf.summary.scalar('loss', float('nan'), step=0)",
        {"loss": [0]},
        ["SW401"],
        ["SW401"],
    ),
    "NaN in a histogram": Row(
        LOOP + "with writer.as_default(): tf.summary.histogram('loss', [1.0, float('nan')], step=0)",
        {"loss": [0]},
        ["SW401"],
        ["SW401"],
    ),
    "tilde in the path": Row(
        "with create('~/logs').as_default(): tf.summary.scalar('loss', 1.0, step=0)",
        {"loss": [0]},
        ["SW104"],
        ["SW104"],
    ),
    "two kinds under one tag": Row(
        LOOP
        + """
        with writer.as_default():
            tf.summary.scalar("loss", 1.0, step=0)
            tf.summary.histogram("loss", [1.0], step=1)
        """,
        {"loss": [0, 1]},
        ["SW405"],
        ["SW405"],
    ),
    "graph mode without init()": Row(
        """
        tf.compat.v1.disable_eager_execution()
        writer = create("logs")
        with writer.as_default():
            tf.summary.scalar("loss", 1.0, step=0)
        """,
        {},
        ["SW311"],
        ["SW311"],
    ),
    "trace_on without trace_export": Row(
        LOOP + "tf.summary.trace_on(graph=True)\nwith writer.as_default(): f(at(0))",
        {"loss": [0]},
        ["SW313"],
        ["SW313"],
    ),
    "trace_export without a writer": Row(
        LOOP
        + """
        tf.summary.trace_on(graph=True)
        with writer.as_default():
            f(at(0))
        tf.summary.trace_export("graph", step=0)
        """,
        {"loss": [0]},
        [],
        ["SW307"],
    ),
    "early import of write": Row(
        """
        from tensorflow.summary import create_file_writer, write
        if "safewriter" in globals() and create is create_file_writer:
            safewriter.uninstall(); from tensorflow.summary import write; safewriter.install()
        with create("logs").as_default():
            write("here", tf.constant(1.0), step=0)
        write("there", tf.constant(1.0), step=0)
        """,
        {"here": [0]},
        [],
        ["SW307"],
    ),
    "tf.compat.v2": Row(
        """
        import tensorflow.compat.v2 as v2
        made = v2.summary.create_file_writer if create is tf.summary.create_file_writer else create
        with made("logs").as_default():
            v2.summary.scalar("here", 1.0, step=0)
        v2.summary.scalar("there", 1.0, step=0)
        """,
        {"here": [0]},
        [],
        ["SW307"],
    ),
}

EPOCHS = {"epoch_loss": [0, 1]}
#: The same for Keras 3's callback: what it leaves of the tags that are named; what ours leaves; codes of ours, and of
#: Keras' own under install(). Keras 2 differs in places, which ``test_keras.py`` has.
KerasRow = collections.namedtuple("KerasRow", "call stock ours codes installed")
KERAS_ROWS = {
    "a layer, update_freq=1": KerasRow(
        "fit(probe=True, update_freq=1)", {"probe": [1] * 20}, {"probe": list(range(1, 21))}, [], ["SW308"]
    ),
    "a layer, update_freq=5": KerasRow(
        "fit(probe=True, update_freq=5)", {"probe": []}, {"probe": [5, 10, 15, 20]}, [], ["SW310"]
    ),
    "a layer, epochs only": KerasRow("fit(probe=True)", {"probe": []}, {"probe": []}, ["SW310"], ["SW307"]),
    "fit in another thread": KerasRow(
        """
import threading
writer = create("mine")
with writer.as_default():
    tf.summary.scalar("here", 1.0, step=0)
    thread = threading.Thread(target=lambda: fit(probe=True))
    thread.start(); thread.join()
""",
        {"probe": [], "here": [0]},
        {"probe": [], "here": [0]},
        ["SW310"],
        ["SW307"],
    ),
    "two fits in one directory": KerasRow(
        "fit(); fit()", {"epoch_loss": [0, 1, 0, 1]}, {"epoch_loss": [0, 1, 0, 1]}, ["SW107"], ["SW107"]
    ),
    "two callbacks in one directory": KerasRow(
        "fit(TensorBoard('logs', write_graph=False))",
        {"epoch_loss": [0, 1, 0, 1]},
        {"epoch_loss": [0, 1, 0, 1]},
        ["SW204"],
        ["SW204"],
    ),
    "an interrupted fit": KerasRow(
        """
def stop(epoch):
    raise KeyboardInterrupt
try:
    fit(EachEpoch(stop), update_freq=1)
except KeyboardInterrupt:
    pass
tf.summary.scalar("mine", 1.0, step=1)
""",
        {"mine": []},
        {"mine": []},
        [],
        ["SW507"],
    ),
    "an epoch summary of the user's": KerasRow(
        "fit(EachEpoch(lambda n: tf.summary.scalar('mine', 1.0, step=n)))",
        {"mine": []},
        {"mine": [0, 1]},
        [],
        ["SW307"],
    ),
    "the same within a writer of the user's, update_freq=7": KerasRow(
        """
writer = create("mine")
def note(epoch):
    with writer.as_default():
        tf.summary.scalar("mine", 1.0, step=epoch)
fit(EachEpoch(note), update_freq=7)
""",
        {"mine": [], "epoch_loss": []},
        {"mine": [0, 1], **EPOCHS},
        [],
        ["SW310"],
    ),
    "epoch metrics, update_freq=7": KerasRow("fit(update_freq=7)", {"epoch_loss": []}, EPOCHS, [], ["SW310"]),
    "steps_per_execution=5": KerasRow(
        "fit(steps=5, update_freq=1)", {"batch_loss": [1, 2, 3, 4]}, {"batch_loss": [5, 10, 15, 20]}, [], []
    ),
    "NaN in a metric": KerasRow("fit(y=float('nan'))", EPOCHS, EPOCHS, ["SW401"], ["SW401"]),
}


def steps(directory):
    """The steps of each tag below a directory, in the order of the files; Keras' tags without their scopes."""
    found = collections.defaultdict(list)
    for parent, _, names in sorted(os.walk(directory)):
        for name in sorted(name for name in names if "tfevents" in name):
            for event in read_events(os.path.join(parent, name)):
                for value in event.summary.value:
                    found[value.tag].append(event.step)
    return dict(found)


def run(run_forked, directory, head, program):
    """Runs a program with one of the heads; gives its outcome and what it left."""
    directory.mkdir()
    outcome = run_forked(head + textwrap.dedent(program), cwd=directory, env={"HOME": str(directory)})
    assert outcome.exit_code == 0, outcome.stderr
    return outcome, steps(directory)


def program_of(text):
    """A row's program: the common part stands at the margin, what follows it may be indented."""
    head, common, rest = text.partition(LOOP)
    return head + common + textwrap.dedent(rest) if common else textwrap.dedent(text)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_writer(name, run_forked, tmp_path):
    """TensorFlow's writer leaves what is said, and says nothing; ours leaves no less, and reports what it must."""
    row = ROWS[name]
    program = program_of(row.program)
    stock, left = run(run_forked, tmp_path / "stock", STOCK, program)
    assert (left, stock.codes) == (row.stock, []), stock.stderr
    for head, codes in ((ALONE, row.alone), (INSTALLED, row.installed)):
        ours, now = run(run_forked, tmp_path / str(len(head)), head, program)
        assert now == left, ours.stderr
        assert sorted(set(ours.codes)) == codes, ours.stderr
        assert {each.file for each in ours.reported} <= {"program.py"}


def test_a_replica_is_noted_with_its_line(run_forked, tmp_path):
    """SW205 stands in the report under ``install()``, with the line of the summary, and is never warned."""
    program = program_of(ROWS["in a replica"].program)
    outcome, _ = run(run_forked, tmp_path / "ours", INSTALLED, program)
    line = next(n for n, text in enumerate((INSTALLED + program).splitlines(), 1) if '"loss", 1.0' in text)
    assert outcome.stdout.strip() == f"The summary at program.py:{line}", outcome.stderr
    assert outcome.codes == []


def is_keras_2():
    """Whether this environment's TensorFlow brings Keras 2."""
    import keras

    return keras.__version__.startswith("2.")


@pytest.mark.parametrize("name", KERAS_ROWS)
def test_a_row_of_the_callback(name, run_forked, tmp_path):
    """Keras' callback leaves what is said, silently; ours puts it right or reports it, and ``install()`` reports it."""
    if is_keras_2():
        pytest.skip("the rows are those of Keras 3; test_keras.py has both")
    row = KERAS_ROWS[name]
    program = KERAS + row.call

    def of(left):
        return {
            tag: [n for each, found in left.items() if each.split("/")[-1] == tag for n in found] for tag in row.stock
        }

    stock, left = run(run_forked, tmp_path / "stock", STOCK, program)
    if name != "an interrupted fit":  # there it is in the file of the callback, or still in memory
        assert of(left) == row.stock
    assert stock.codes == []
    ours, left = run(run_forked, tmp_path / "ours", ALONE, program)
    assert of(left) == row.ours, ours.stderr
    assert sorted(set(ours.codes)) == row.codes, ours.stderr
    installed, _ = run(run_forked, tmp_path / "installed", INSTALLED, program)
    assert sorted(set(installed.codes)) == row.installed, installed.stderr

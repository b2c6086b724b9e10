"""The directories in which the commands and programs of the documentation run."""

import contextlib
import dataclasses
import math
import os
import tempfile

from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

#: A script that forgets to merge its summaries, with TensorFlow's own writer.
TRAIN = """\
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
loss = tf.get_variable("value", initializer=1.0)
train = loss.assign(loss * 0.9)
tf.summary.scalar("loss", loss)
with tf.Session() as sess, tf.summary.FileWriter("logs/1", sess.graph) as writer:
    sess.run(tf.global_variables_initializer())
    for step in range(100):
        sess.run(train)
"""

#: The same, fixed.
SOUND = TRAIN.replace(
    "    for step in range(100):\n        sess.run(train)\n",
    "    merged = tf.summary.merge_all()\n"
    "    for step in range(100):\n        writer.add_summary(sess.run([merged, train])[0], step)\n",
)

#: What a reader of a page has already: a writer to add to, a model to fit.
V1 = """\
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


def train(logdir):
    from safewriter import SafeFileWriter

    with SafeFileWriter(str(logdir)) as writer:
        for step in range(10):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), step)


"""
V2 = """\
import numpy as np
import tensorflow as tf

x, y = np.zeros((8, 2), "float32"), np.zeros((8, 1), "float32")
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")


def train_step():
    return 0.5


"""
TRAINING = """\
rounds = iter([True, True, False])


def training():
    return next(rounds)


"""

#: What a project of a reader's has below ``tests``.
TEST = """\
import tensorflow.compat.v1 as tf

from safewriter.testing import capture_findings

tf.disable_eager_execution()


def train(logdir):
    with tf.summary.FileWriter(str(logdir)) as writer:
        for step in range(20):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.9**step)]))


def test_training(tmp_path):
    train(tmp_path)
"""


@dataclasses.dataclass(frozen=True)
class Scene:
    """A directory, and the lines that come before a program in it.

    Attributes:
        files: The text or the bytes of each file, by path.
        prelude: What comes before a program.
        grows: What is appended to a file each time that a command which follows the directory has said something new,
            and how many lines it says then.
    """

    files: dict[str, str | bytes] = dataclasses.field(default_factory=dict)
    prelude: str = ""
    grows: tuple[tuple[str, bytes, int], ...] = ()


def events(*scalars, wall_time=1.7e9):
    """An event file with a version record and these ``(step, value)``, a second apart."""
    written = [Event(wall_time=wall_time, file_version="brain.Event:2")]
    for step, value in scalars:
        event = Event(wall_time=wall_time + len(written), step=step)
        event.summary.value.add(tag="loss", simple_value=value)
        written.append(event)
    return b"".join(record_of(event.SerializeToString()) for event in written)


def damaged(content, at):
    """The same with one bit flipped."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


_FILE = "events.out.tfevents.1000.host"
_FALLING = [(step, math.exp(-step / 20)) for step in range(50)]
_LOGS = {
    f"logs/sound/{_FILE}": events(*_FALLING),
    f"logs/diverged/{_FILE}": events(*((step, value if step < 31 else math.nan) for step, value in _FALLING)),
    f"logs/one-bit/{_FILE}": damaged(events(*_FALLING), 500),
    f"logs/killed/{_FILE}": events(*_FALLING)[:-5],
}

SCENES = {
    "an empty directory": Scene(),
    "a directory with logs": Scene(_LOGS, TRAINING),
    "a directory with sound logs and train.py": Scene(
        {f"logs/sound/{_FILE}": events(*_FALLING), "train.py": SOUND.replace("logs/1", "logs/2")}
    ),
    "a directory with logs that grow": Scene(
        {f"logs/{run}/{_FILE}": events(*_FALLING) for run in ("baseline", "wider")},
        grows=(
            (f"logs/wider/{_FILE}", events(*((step, 0.07) for step in range(50, 60)))[len(events()) :], 1),
            (f"logs/wider/{_FILE}", events(*((step, math.nan) for step in range(60, 63)))[len(events()) :], 2),
        ),
    ),
    "a directory with train.py": Scene({"train.py": TRAIN}),
    "a directory with a sound train.py": Scene({"train.py": SOUND}),
    "a project with tests": Scene({"test_train.py": TEST, "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n"}),
    "a TF1 program": Scene({}, V1),
    "a TF2 program": Scene({}, V2),
}


@contextlib.contextmanager
def stage(name):
    """A directory with the files of a scene; its path."""
    with tempfile.TemporaryDirectory() as top:
        directory = os.path.join(top, "run")
        os.mkdir(directory)
        for path, content in SCENES[name].files.items():
            path = os.path.join(directory, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        yield directory

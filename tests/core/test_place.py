"""Whose line it was: warnings point at the user's program, never into safewriter or a framework."""

import contextlib
import os
import sys
import threading
import types

import pytest

import safewriter
from safewriter.findings import Place, users_line, users_place
from safewriter.findings.place import UNKNOWN, is_users

OURS = os.path.join(os.path.dirname(safewriter.__file__), "writer.py")
SITE = f"{os.sep}env{os.sep}lib{os.sep}site-packages{os.sep}"


@pytest.mark.parametrize(
    "filename",
    [
        "train.py",
        "/home/me/train.py",
        "/home/me/tensorflow/train.py",
        "/home/me/safewriter_experiments/train.py",
        "/home/me/keras/model.py",
        "/home/me/threading.py",
        "<stdin>",
        "<string>",
        "<ipython-input-3-1a2b>",
        "/tmp/ipykernel_12/345.py",
        SITE + "my_trainer/loop.py",
        SITE + "contextlib.py",
    ],
)
def test_files_of_users(filename):
    """Scripts, notebooks and libraries that use a writer are the user's."""
    assert is_users(filename)


@pytest.mark.parametrize(
    "filename",
    [
        OURS,
        SITE + "tensorflow/python/summary/writer/writer.py",
        SITE + "tensorflow_estimator/python/estimator/run.py",
        SITE + "keras/src/backend/tensorflow/trainer.py",
        SITE + "tf_keras/src/callbacks.py",
        SITE + "tensorboard/plugins/scalar/summary.py",
        "<frozen importlib._bootstrap>",
        contextlib.__file__,
        threading.__file__,
        "/tmp/__autograph_generated_fileab12.py",
    ],
)
def test_files_of_others(filename):
    """Ours, TensorFlow's, Keras', TensorBoard's and what Python puts between are not."""
    assert not is_users(filename.replace("/", os.sep) if filename.startswith(SITE) else filename)


def frames(*places):
    """A stack of these ``(filename, line)``, outermost first."""
    frame = None
    for filename, lineno in places:
        code = types.SimpleNamespace(co_filename=filename)
        frame = types.SimpleNamespace(f_code=code, f_lineno=lineno, f_back=frame, f_globals={"__name__": "module"})
    return lambda depth: frame


def test_innermost_line_of_the_users():
    """Between our frames and the framework's, the innermost of the user's counts."""
    stack = frames(("train.py", 50), ("model.py", 20), (SITE + "tensorflow/x.py", 3), (OURS, 100))
    assert str(users_place(stack)) == "model.py:20"


def test_no_line_of_the_users():
    """Where none is there, the outermost is taken."""
    assert users_place(frames((SITE + "tensorflow/x.py", 3), (OURS, 100))).filename == SITE + "tensorflow/x.py"


def test_no_stack():
    """Where Python has no stack to show, the place is not known."""

    def none(depth):
        raise ValueError("call stack is not deep enough")

    assert users_place(none) is UNKNOWN


def test_line_without_a_number():
    """Frames may have no line; a warning needs one."""
    assert users_place(frames(("train.py", None))).lineno == 1


def test_this_line():
    """The line of this call."""
    place = users_place()
    assert (place.filename, place.module) == (__file__, __name__)
    assert place.lineno == sys._getframe().f_lineno - 2
    assert place.registry is sys.modules[__name__].__dict__["__warningregistry__"]


def test_lines_of_a_traceback():
    """Of ``(filename, line)`` pairs, as an op's traceback gives them."""
    assert users_line([("train.py", 5), ("layers.py", 7), (SITE + "tensorflow/ops.py", 9)]) == Place("layers.py", 7)
    assert users_line([(OURS, 9)]) == Place(OURS, 9)
    assert users_line([]) is UNKNOWN


def test_shown(tmp_path, monkeypatch):
    """Below the working directory a file is shown as the user would write it, elsewhere whole."""
    monkeypatch.chdir(tmp_path)
    assert str(Place(str(tmp_path / "a" / "train.py"), 3)) == f"{os.path.join('a', 'train.py')}:3"
    outside = os.path.join(os.path.dirname(str(tmp_path)), "train.py")
    assert str(Place(outside, 3)) == f"{outside}:3"


def test_shown_without_a_working_directory(monkeypatch):
    """Where the working directory is gone, the whole name is shown."""

    def gone():
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert str(Place("/somewhere/train.py", 3)) == "/somewhere/train.py:3"


#: TensorFlow 2.21 makes nodes of syntax trees as Python 3.13 does not like it; its own fallback would hide the case.
of_autograph = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@of_autograph
def test_function_that_is_traced(tf):
    """In a ``tf.function`` the line is the user's, not that of the code which TensorFlow made of it."""
    seen = []

    @tf.function
    def step(x):
        seen.append(users_place())
        return x + 1

    step(tf.constant(1))
    (place,) = seen
    assert (place.filename, place.lineno) == (__file__, step.python_function.__code__.co_firstlineno + 2)


@of_autograph
def test_function_that_is_traced_without_the_map(tf, monkeypatch):
    """Where TensorFlow no longer tells which line it was, it is the line that called the function."""
    seen = []

    @tf.function
    def step(x):
        seen.append(users_place())
        return x + 1

    monkeypatch.setitem(sys.modules, "tensorflow.python.util.tf_stack", types.SimpleNamespace())
    line = sys._getframe().f_lineno + 1
    step(tf.constant(1))
    (place,) = seen
    assert (place.filename, place.lineno) == (__file__, line)

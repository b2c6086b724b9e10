"""What the whole suite shares: fresh graphs, TensorFlow's own reader, and child processes."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow when it is first imported

import glob
import shutil
import subprocess
import sys
import tempfile
import warnings

import children
import pytest
from hypothesis import settings

with warnings.catch_warnings():
    # TensorFlow 2.12 imports a name that the newest JAX for it deprecates.
    warnings.simplefilter("ignore")
    import tensorflow.compat.v1 as tf

# No test is timed: the machine may be busy with other things.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def run_program(tmp_path):
    """Runs a program in a new interpreter, in ``tmp_path`` unless told otherwise; see ``children.run_program``."""

    def run(source="", *arguments, cwd=tmp_path, **options):
        return children.run_program(source, *arguments, cwd=str(cwd), **options)

    return run


@pytest.fixture(scope="session")
def fork_server():
    """The process that ``run_forked`` forks; started at its first use."""
    with children.ForkServer() as server:
        yield server


@pytest.fixture
def run_forked(fork_server, tmp_path):
    """The same in a fork of a process that has imported TensorFlow: ten times as fast; see ``children.ForkServer``."""

    def run(source="", *arguments, cwd=tmp_path, **options):
        return fork_server.run(source, *arguments, cwd=str(cwd), **options)

    return run


@pytest.fixture
def open_path():
    """A directory that every user may enter and write to; ``tmp_path`` is closed to others."""
    path = os.path.realpath(tempfile.mkdtemp(prefix="safewriter-test-"))
    os.chmod(path, 0o777)
    yield path
    subprocess.run(["chmod", "-R", "u+rwx", path], check=False, capture_output=True)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def graph():
    """A fresh graph of TensorFlow 1, the default one during the test."""
    with tf.Graph().as_default() as graph:
        yield graph


def _read_events(place):
    place = os.fspath(place)
    pattern = os.path.join(glob.escape(place), "*tfevents*")
    files = sorted(glob.glob(pattern)) if os.path.isdir(place) else [place]
    return [
        event
        for file in files
        for event in tf.train.summary_iterator(file)
        if event.WhichOneof("what") != "file_version"
    ]


@pytest.fixture(scope="session")
def read_events():
    """Reads the events of a file, or of a directory's event files, with TensorFlow's reader; no version records."""
    return _read_events


@pytest.fixture(scope="session")
def read_points():
    """Reads the scalars of a file or directory with TensorFlow's reader, as ``{tag: [(step, value), …]}``."""

    def read(place):
        points = {}
        for event in _read_events(place):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
        return points

    return read


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    """Tests begin without the environment's settings for safewriter."""
    for name in [name for name in os.environ if name.startswith("SAFEWRITER_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_left_for_others():
    """What a test leaves open is ended with it, so that no later test, and no exit hook, speaks of it."""
    yield
    from safewriter.findings import CAPTURES

    assert CAPTURES._open == [], "the test left a capture of findings open"
    registry = sys.modules.get("safewriter.recording.scope")
    if registry is not None:
        with CAPTURES.capture():
            registry.end_program()

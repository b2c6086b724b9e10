"""What the whole suite shares: fresh graphs, TensorFlow's own reader, and child processes."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow when it is first imported

import dataclasses
import glob
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import pytest

with warnings.catch_warnings():
    # TensorFlow 2.12 imports a name that the newest JAX for it deprecates.
    warnings.simplefilter("ignore")
    import tensorflow.compat.v1 as tf

#: How Python shows a warning of ours, and how a traceback ends that one of our errors caused.
_WARNED = re.compile(r"^(?P<file>[^\s].*?):(?P<line>\d+): (?P<category>\w+Warning): (?P<code>SW\d{3}) ", re.MULTILINE)
_RAISED = re.compile(r"^safewriter\.(?P<category>SafeWriter\w+): (?P<code>SW\d{3}) ", re.MULTILINE)

_NOBODY = 65534
#: All is imported first: the interpreter itself may lie where only root can read.
_AS_NOBODY = f"""
import linecache, runpy, sys, traceback
import safewriter.writer, safewriter.testing
import os
os.setgroups([])
os.setgid({_NOBODY})
os.setuid({_NOBODY})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclasses.dataclass(frozen=True)
class Told:
    """One finding as a user sees it.

    Attributes:
        code: Such as ``SW302``.
        file: Base name of the file that the warning points at; empty for an error.
        line: The line there; 0 for an error.
        category: Class of the warning or error.
    """

    code: str
    file: str
    line: int
    category: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def told(self):
        """The findings that the program showed, warnings first."""
        warned = [
            Told(m["code"], os.path.basename(m["file"]), int(m["line"]), m["category"])
            for m in _WARNED.finditer(self.stderr)
        ]
        return warned + [Told(m["code"], "", 0, m["category"]) for m in _RAISED.finditer(self.stderr)]

    @property
    def codes(self):
        """The codes of these findings."""
        return [told.code for told in self.told]


def _run(source, *arguments, cwd, flags=(), env=None, timeout=120, unprivileged=False, command=None):
    """Runs a program in a process of its own.

    Args:
        source: Its text; it is stored as ``program.py`` in ``cwd``, unless ``command`` is given.
        arguments: What it finds in ``sys.argv[1:]``.
        cwd: Where it runs.
        flags: Of the interpreter, such as ``-W error``.
        env: Variables that are added to this process's.
        timeout: Seconds after which it is killed and the test fails.
        unprivileged: Run it as a user that owns nothing; ``cwd`` must be open to that user. Where the tests are
            not run by root, their own user is such a one.
        command: Run this as ``python -c`` instead of a file.

    Returns:
        Its ``Outcome``.
    """
    if command is None:
        path = os.path.join(cwd, "program.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        os.chmod(path, 0o644)
        call = ["-c", _AS_NOBODY, path] if unprivileged and _is_root() else ["program.py"]
    else:
        call = ["-c", command]
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("SAFEWRITER_", "PYTHONWARN"))}
    child = subprocess.run(
        [sys.executable, *flags, *call, *arguments],
        cwd=cwd,
        env={**settings, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )
    return Outcome(child.returncode, child.stdout, child.stderr)


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def run_program(tmp_path):
    """Runs a program in a child process, in ``tmp_path`` unless told otherwise; see ``_run``."""

    def run(source="", *arguments, cwd=tmp_path, **options):
        return _run(source, *arguments, cwd=str(cwd), **options)

    return run


@pytest.fixture
def open_path():
    """A directory that every user may enter and write to; ``tmp_path`` is closed to others."""
    path = tempfile.mkdtemp(prefix="safewriter-test-")
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
    registry = sys.modules.get("safewriter.registry")
    if registry is not None:
        with CAPTURES.capture():
            registry.REGISTRY.end_program()

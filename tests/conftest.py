"""What the whole suite shares: child processes, and a state that no test leaves behind. No TensorFlow here."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow when it is first imported

import shutil
import signal
import subprocess
import sys
import tempfile

import children
import pytest
from hypothesis import settings

# Each child process imports the package that is tested here, whatever its working directory.
os.environ["PYTHONPATH"] = children.import_path()

# Where the suite runs in the background of a shell, Ctrl-C is ignored, and would be by its children too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test is timed: the machine may be busy with other things.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def run_program(tmp_path):
    """Runs a program in a new interpreter, in ``tmp_path`` unless reported otherwise; see ``children.run_program``."""

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

"""The pytest plugin: a test that loses a summary fails, where that is asked for."""

import subprocess
import sys
from importlib.metadata import entry_points

TESTS = """
import pytest
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

def scalar(value):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=value)])

def test_correct(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(scalar(1.0), 1)

def test_never_written(tmp_path):
    with tf.Graph().as_default() as graph:
        tf.summary.scalar("accuracy", tf.constant(1.0))
        merged = tf.summary.merge_all()
        with tf.summary.FileWriter(str(tmp_path), graph) as writer:
            writer.add_summary(scalar(1.0), 1)

def test_not_finite(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(scalar(float("nan")), 1)

@pytest.fixture
def writer(tmp_path):
    return tf.summary.FileWriter(str(tmp_path))

def test_left_open(writer):
    writer.add_summary(scalar(1.0), 1)

def test_fails_by_itself(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(scalar(float("nan")), 1)
    assert False, "its own fault"
"""


def run(directory, *options):
    """Runs pytest there and gives what it printed."""
    command = [sys.executable, "-m", "pytest", "-p", "safewriter.testing.plugin", "-p", "no:cacheprovider", "-q"]
    if any(each.name == "safewriter" for each in entry_points(group="pytest11")):  # it is installed
        del command[3:5]
    done = subprocess.run([*command, *options], cwd=directory, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_each_loss_fails_its_test(tmp_path):
    """With the option, tests fail with their finding, those of fixtures at teardown, and correct ones pass."""
    (tmp_path / "test_it.py").write_text(TESTS)
    out = run(tmp_path, "--safewriter")
    assert "3 failed, 2 passed, 1 error" in out
    assert "SW302 summaries-never-written" in out
    assert "SW401 not-finite" in out
    assert "SW501 never-flushed" in out
    assert "its own fault" in out


def test_settings(tmp_path):
    """The configuration can ask for it, and ignore codes; an unknown code is an error of use."""
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsafewriter = true\nsafewriter_ignore = SW3 not-finite\n")
    assert "1 failed, 4 passed, 1 error" in run(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsafewriter = true\nsafewriter_ignore = SW999\n")
    assert "SW999" in run(tmp_path)


def test_off_it_costs_nothing(tmp_path):
    """Without the option neither TensorFlow nor protobuf is imported, and nothing is judged."""
    (tmp_path / "test_it.py").write_text(
        "import sys\ndef test_it(pytestconfig):\n    assert pytestconfig.pluginmanager.hasplugin('safewriter') or "
        "'safewriter.testing.plugin' in sys.modules\n"
        "    assert not {'tensorflow', 'google.protobuf', 'safewriter.findings'} & set(sys.modules)\n"
    )
    assert "1 passed" in run(tmp_path)

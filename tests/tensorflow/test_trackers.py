"""Experiment trackers that watch TensorFlow's writers see every event of ours, whoever patches first."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

START = """
import sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import safewriter
order = sys.argv[1]
if order == "installed before":
    safewriter.install()
{begin}
if order == "installed after":
    safewriter.install()
kind = safewriter.SafeFileWriter if order == "by name" else tf.summary.FileWriter
with kind("logs") as writer:
    assert isinstance(writer, safewriter.SafeFileWriter)
    for step in range(10):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=step / 2)]), step)
assert writer.report().landed == 10, writer.report()
{end}
"""

ORDERS = pytest.mark.parametrize("order", ["by name", "installed before", "installed after"])


def needs(package):
    """Skips where a tracker is not installed; `.ci/run` has an environment with all of them."""
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed here")


def train(directory, order, begin, end=""):
    """Trains with a tracker, in a process of its own, and gives what it printed."""
    environment = {**os.environ, "HOME": str(directory), "CLEARML_CACHE_DIR": str(directory / "clearml")}
    program = START.format(begin=begin, end=end)
    done = subprocess.run(
        [sys.executable, "-c", program, order],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs("wandb")
@ORDERS
def test_weights_and_biases(order, tmp_path):
    """``wandb.init(sync_tensorboard=True)``, offline, records the curve of a SafeFileWriter."""
    begin = "import wandb\nrun = wandb.init(mode='offline', sync_tensorboard=True, project='p', dir='.')"
    train(tmp_path, order, begin, "run.finish()")
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    (path,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    store, values = DataStore(), []
    store.open_for_scan(str(path))
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record.FromString(data)
        items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        if "loss" in items:
            values.append(json.loads(items["loss"]))
    store._fp.close()  # its own close() is for stores that were written
    assert values == [step / 2 for step in range(10)]


@needs("clearml")
@ORDERS
def test_clearml(order, tmp_path):
    """ClearML, offline, records each value of a SafeFileWriter."""
    begin = (
        "from clearml import Task\nTask.set_offline(True)\n"
        "task = Task.init(project_name='p', task_name='t', auto_resource_monitoring=False)"
    )
    train(tmp_path, order, begin, "task.close()")
    (path,) = tmp_path.glob("clearml/offline/*/metrics.jsonl")
    events = [event for line in path.read_text().splitlines() for event in json.loads(line)]
    assert [event["value"] for event in events if event["metric"] == "loss"] == [step / 2 for step in range(10)]


@needs("mlflow")
@ORDERS
def test_mlflow(order, tmp_path):
    """MLflow's autologging for TensorFlow and a SafeFileWriter leave each other alone."""
    begin = (
        "import mlflow\nmlflow.set_tracking_uri('sqlite:///mlflow.db')\nmlflow.tensorflow.autolog()\nmlflow.start_run()"
    )
    train(tmp_path, order, begin, "mlflow.end_run()")


@ORDERS
@pytest.mark.parametrize(
    "owner", ["EventFileWriter.add_event", "FileWriter.add_summary", "SummaryToEventTransformer.add_summary"]
)
def test_patches_of_the_kind_that_older_trackers_use(owner, order, run_forked):
    """A method of TensorFlow's writers that a tool has wrapped, as MLflow 1 did, is called with every event.

    MLflow 2 and 3 wrap none any more, so a wrapper of the same kind stands for the older ones.
    """
    begin = f"""
from tensorflow.python.summary.writer.writer import FileWriter, SummaryToEventTransformer
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter
seen = []
original = {owner}
def wrapper(self, *args, **keywords):
    seen.append(args[0])
    return original(self, *args, **keywords)
{owner} = wrapper
"""
    outcome = run_forked(START.format(begin=begin, end="assert len(seen) == 10, len(seen)"), order)
    assert outcome.exit_code == 0, outcome.stderr

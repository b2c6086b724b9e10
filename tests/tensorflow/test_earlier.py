"""SW107: an earlier run in the directory; what resume_step makes TensorBoard drop."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import warnings

import pytest
import tensorflow.compat.v1 as tf
from hypothesis import given, settings, strategies as st

from safewriter import SafeFileWriter
from safewriter.checks.earlier import EarlierJudge
from safewriter.eventfile.messages import Event
from safewriter.eventfile.read import RecordReader
from safewriter.eventfile.record import record_of
from safewriter.system.earlier import EarlierRun
from safewriter.testing import capture_findings

HOST = socket.gethostname()


def scalar(value, tag="loss"):
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value)])


def record(step, tag="loss", value=1.0, padding=0):
    event = Event(wall_time=1.0 + step, step=step)
    added = event.summary.value.add(tag=tag, simple_value=value)
    if padding:
        added.ClearField("simple_value")
        added.tensor.tensor_content = os.urandom(padding)
    return record_of(event.SerializeToString())


VERSION = record_of(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())


def write(directory, steps, tag="loss", seconds=1700000000, host="far", end=b""):
    path = os.path.join(directory, f"events.out.tfevents.{seconds}.{host}.1.0")
    with open(path, "wb") as file:
        file.write(VERSION + b"".join(record(step, tag) for step in steps) + end)
    return path


def read_all(earlier, tag="no such tag"):
    while not earlier.finished:
        earlier.last_step(tag)
    return earlier


# The writer.


@pytest.fixture
def run(tmp_path, graph):
    """Writes a run of steps with a writer of ours; gives what was reported."""

    def run(steps, tags=("loss",), logdir=tmp_path, **options):
        with capture_findings() as findings, SafeFileWriter(str(logdir), **options) as writer:
            for step in steps:
                for tag in tags:
                    writer.add_summary(scalar(1.0, tag), step)
        return findings

    return run


def codes(findings):
    return [finding.code for finding in findings]


def test_a_run_over_an_earlier_one_is_reported(run, tmp_path):
    """The finding names the tag, the step that the earlier run reached, and the one that is written now."""
    run(range(100))
    (finding,) = run(range(40, 60))
    assert finding.code == "SW107"
    assert "wrote 'loss' up to step 99" in finding.message
    assert "this run writes it at step 40" in finding.message
    assert "resume_step=39" in finding.hint
    assert "time.strftime" in finding.hint
    assert finding.path == str(tmp_path)


def test_going_on_at_the_next_step_is_silent(run):
    """A resumed run that continues where the earlier one ended is right."""
    run(range(100))
    assert run(range(100, 120)) == []
    assert run(range(120, 140, 5)) == []


def test_the_last_point_again_is_reported(run):
    """At the very step of the last point there are two."""
    run(range(100))
    assert codes(run(range(99, 120))) == ["SW107"]


def test_other_tags_are_silent(run):
    """A tag that no earlier run wrote is nobody's curve."""
    run(range(100), tags=["loss"])
    assert run(range(100), tags=["accuracy"]) == []


def test_settings_written_at_each_start_are_silent(run):
    """A tag with a point at step 0 alone, such as a text, is no curve."""
    run([0], tags=["settings"])
    run(range(10))
    with_settings = run([0], tags=["settings"])
    assert with_settings == []


def test_many_tags_are_one_finding_at_a_writer(tmp_path, graph):
    """Fifty overtaken tags are one warning, counted on."""
    tags = [f"layer{number}" for number in range(50)]
    write(tmp_path, range(10), "loss")
    for number, tag in enumerate(tags):
        write(tmp_path, range(10), tag, seconds=1700000001 + number)
    with warnings.catch_warnings(record=True) as caught, SafeFileWriter(str(tmp_path)) as writer:
        warnings.simplefilter("always")
        for tag in tags[25:]:
            writer.add_summary(scalar(1.0, tag), 5)
    assert len([each for each in caught if "SW107" in str(each.message)]) == 1
    (finding,) = writer.report().findings
    assert finding.count == 25


def test_a_run_before_in_the_same_process_is_an_earlier_run(run):
    """A cell of a notebook that is run again writes over its own curve."""
    assert run(range(10)) == []
    assert codes(run(range(10))) == ["SW107"]


def test_an_open_writer_of_this_process_is_no_earlier_run(tmp_path, graph):
    """Two open writers on one directory are SW204's business."""
    logdir = str(tmp_path)
    with capture_findings() as findings, SafeFileWriter(logdir) as first, SafeFileWriter(logdir) as second:
        for step in range(5):
            first.add_summary(scalar(1.0), step)
            second.add_summary(scalar(1.0), step)
    assert codes(findings) == ["SW204"]


def test_a_file_written_by_a_living_process_is_no_earlier_run(tmp_path):
    """What another process of this host has open is SW203's business."""
    holds = "import sys; file = open(sys.argv[1], 'ab'); print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", holds, os.path.join(tmp_path, "reserved")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        child.stdout.readline()
        path = write(tmp_path, range(10), host=HOST).replace(".1.0", f".{child.pid}.0")
        os.replace(write(tmp_path, range(10), host=HOST), path)
        closed = EarlierRun(str(tmp_path))
        with open(path, "rb") as source, open(os.path.join(tmp_path, "reserved"), "wb") as held:
            held.write(source.read())
        os.replace(os.path.join(tmp_path, "reserved"), path)
        held_open = EarlierRun(str(tmp_path))
    finally:
        child.communicate()
    if sys.platform.startswith("linux"):  # elsewhere it isn't known what a living process has open
        assert closed.last_step("loss") == (9, os.path.basename(path))
    assert held_open.finished


@pytest.mark.parametrize("option", ["resume_step", "fresh"])
def test_both_ways_out_are_silent(run, tmp_path, option):
    """The two edits that the hint shows end the finding."""
    run(range(100))
    if option == "resume_step":
        assert run(range(40, 60), resume_step=39) == []
    else:
        assert run(range(40, 60), logdir=tmp_path / "fresh") == []


def test_a_resumed_run_that_begins_too_early_is_reported(run):
    """resume_step keeps the points up to it, so that a step before it is written twice."""
    run(range(100))
    (finding,) = run(range(30, 60), resume_step=39)
    assert "resume_step=39 drops its points after step 39, but this run writes it at step 30" in finding.message


def test_resuming_in_an_empty_directory_is_silent(run):
    """A program may pass resume_step at its first start too."""
    assert run(range(10), resume_step=0) == []


@pytest.mark.parametrize(("value", "error"), [("39", TypeError), (1.5, TypeError), (-1, ValueError)])
def test_a_resume_step_that_is_none_is_refused(tmp_path, graph, value, error):
    """It must be a whole number, the step of a checkpoint; nothing is created otherwise."""
    with pytest.raises(error, match="the global step of the checkpoint"):
        SafeFileWriter(str(tmp_path / "new"), resume_step=value)
    assert not (tmp_path / "new").exists()


# What TensorBoard makes of it.


def tensorboard_points(logdir, *flags):
    """Scalars of all runs, asked from a TensorBoard server: ``{run: {tag: [(step, value), …]}}``."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--port=0", "--host=127.0.0.1", *flags],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": ""},
    )
    try:
        lines = iter(server.stderr.readline, "")
        address = next(found[0] for found in (re.search(r"http://127\.0\.0\.1:\d+", line) for line in lines) if found)
        runs = _until_complete(f"{address}/data/plugin/scalars/")
    finally:
        server.kill()
        server.communicate()
    return runs


def _until_complete(address):
    """Asks until all that is in the files has been loaded: the runs are there, and nothing changes any more."""
    before = None
    for _ in range(240):
        runs = {
            run: {tag: _points(f"{address}scalars?{urllib.parse.urlencode({'run': run, 'tag': tag})}") for tag in tags}
            for run, tags in _json(f"{address}tags").items()
        }
        if len(runs) == 3 and runs == before:
            return runs
        before = runs
        time.sleep(0.25)
    raise AssertionError(f"TensorBoard did not load all runs: {before}")


def _points(address):
    return [(step, value) for _, step, value in _json(address)]


def _json(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """Three directories: steps 0 to 9, then from a checkpoint at step 5 on, marked or not, and a fresh start."""
    root = tmp_path_factory.mktemp("resumed")
    second = {"marked": (range(6, 8), 5), "unmarked": (range(6, 8), None), "restarted": (range(3), None)}
    with tf.Graph().as_default():
        for name, (steps, resume_step) in second.items():
            with SafeFileWriter(str(root / name)) as writer:
                for step in range(10):
                    writer.add_summary(scalar(1.0), step)
                    writer.add_summary(scalar(1.0, "once"), step)
            with SafeFileWriter(str(root / name), resume_step=resume_step, ignore="SW107") as writer:
                for step in steps:
                    writer.add_summary(scalar(2.0), step)
    return str(root)


EARLIER = [(step, 1.0) for step in range(10)]
KEPT = EARLIER[:6]
LATER = [(6, 2.0), (7, 2.0)]


def test_tensorboards_default_loader_drops_what_was_overtaken(resumed):
    """It goes by steps: marker or not, the later file's points replace those of the same tag from its first step on."""
    runs = tensorboard_points(resumed, "--load_fast=true")
    assert runs["marked"]["loss"] == runs["unmarked"]["loss"] == KEPT + LATER
    assert runs["restarted"]["loss"] == [(step, 2.0) for step in range(3)]
    assert runs["marked"]["once"] == EARLIER  # a tag that isn't written again keeps its points


def test_tensorboards_python_loader_drops_what_the_marker_says(resumed):
    """It goes by the marker: without it, the curve goes back."""
    runs = tensorboard_points(resumed, "--load_fast=false")
    assert runs["marked"] == {"loss": KEPT + LATER, "once": KEPT}
    assert runs["unmarked"]["loss"] == EARLIER + LATER
    assert runs["restarted"]["loss"] == EARLIER + [(step, 2.0) for step in range(3)]


def test_the_event_accumulator_drops_it_too(resumed):
    """The Python class that scripts read event files with."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(os.path.join(resumed, "marked"))
    accumulator.Reload()
    assert [(point.step, point.value) for point in accumulator.Scalars("loss")] == KEPT + LATER


# Reading from the end.


def test_the_last_step_of_each_tag_is_found(tmp_path):
    """In all files that were there, the newest one's counts."""
    write(tmp_path, range(1000), "loss", seconds=1700000000)
    write(tmp_path, range(400, 500), "loss", seconds=1700000100)
    write(tmp_path, range(7), "accuracy", seconds=1700000050)
    earlier = read_all(EarlierRun(str(tmp_path)))
    assert earlier.last_step("loss")[0] == 499
    assert earlier.last_step("accuracy")[0] == 6
    assert earlier.last_step("other") is None


def test_a_tag_written_early_in_a_large_file_is_sampled(tmp_path):
    """Of a file that is not read whole, samples tell how far a tag had come at least."""
    path = write(tmp_path, ())
    with open(path, "ab") as file:
        for step in range(40_000):
            file.write(record(step, "loss"))
            if step % 100 == 0 and step < 30_000:
                file.write(record(step, "evaluation"))
    earlier = read_all(EarlierRun(str(tmp_path)))
    assert earlier.last_step("loss")[0] == 39_999
    assert 20_000 < earlier.last_step("evaluation")[0] < 30_000


def test_the_newer_file_counts_though_it_is_large(tmp_path):
    """A tag that only samples of the newest file show is not taken for that of an older one."""
    write(tmp_path, range(100), "evaluation", seconds=1700000000)
    path = write(tmp_path, range(1000, 2000), "evaluation", seconds=1700000100)
    with open(path, "ab") as file:
        file.write(b"".join(record(step) for step in range(20_000)))
    earlier = EarlierRun(str(tmp_path))
    while earlier.last_step("evaluation") is None:
        assert not earlier.finished
    assert earlier.last_step("evaluation") == (1999, os.path.basename(path))


def test_a_record_longer_than_the_tail_is_passed(tmp_path):
    """An image of half a megabyte at the end does not hide the records before it."""
    write(tmp_path, range(10_000), end=record(10_000, "image", padding=600_000))
    earlier = read_all(EarlierRun(str(tmp_path)))
    assert earlier.last_step("loss")[0] == 9_999
    assert earlier.last_step("image")[0] == 10_000


@pytest.mark.parametrize("end", [b"torn", record(10)[:-3], b"\0" * 40, record(10)[:20], b"\0" * 400_000], ids=len)
def test_a_torn_tail_is_no_error(tmp_path, end):
    """A killed run's file ends inside a record."""
    write(tmp_path, range(10), end=end)
    assert read_all(EarlierRun(str(tmp_path))).last_step("loss")[0] == 9


@pytest.mark.parametrize("content", [b"", b"\0" * 300_000, os.urandom(300_000)], ids=["empty", "zeros", "noise"])
def test_a_file_of_something_else_is_no_error(tmp_path, content):
    """Whatever is in a file of that name, it holds no tag."""
    (tmp_path / "events.out.tfevents.1700000000.far.1.0").write_bytes(content)
    assert read_all(EarlierRun(str(tmp_path))).last_step("loss") is None


def test_files_that_go_away_are_no_error(tmp_path):
    """A file may be deleted between construction and the first tag."""
    path = write(tmp_path, range(10))
    earlier = EarlierRun(str(tmp_path))
    os.unlink(path)
    assert read_all(earlier).last_step("loss") is None


@pytest.mark.parametrize("directory", ["gs://bucket/logs", "/nowhere/at/all"])
def test_nothing_is_read_of_a_directory_that_cannot_be_listed(directory):
    """Of a remote directory, or one that isn't there, no earlier run is known."""
    assert EarlierRun(directory).finished


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=8),
    cut=st.integers(0, 400),
)
def test_records_are_found_from_wherever_one_looks(sizes, cut):
    """From any byte of an event file on, the records from the next one on are found, and nothing else."""
    records = [record(step, padding=size) for step, size in enumerate(sizes)]
    starts = [sum(map(len, records[:number])) for number in range(len(records))]
    data = b"".join(records)
    found = [offset for offset, _ in RecordReader(io.BytesIO(data[cut:])).placed()]
    assert found == [start - cut for start in starts if start >= cut]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.004
        return self.now


def test_a_question_reads_for_a_little_while_only(tmp_path):
    """What one question could not answer in its time, later ones do, and the judge comes back to it."""
    for number in range(20):
        write(tmp_path, range(50), f"tag{number}", seconds=1700000000 + number)
    earlier = EarlierRun(str(tmp_path), clock=Clock())
    judge = EarlierJudge("logs", earlier)
    assert judge.observe("tag0", 10) is None  # in the oldest file
    assert not earlier.finished
    found = []
    for _ in range(20):
        found += judge.settle()
    assert [finding.code for finding in found] == ["SW107"]
    assert judge.finished


def test_construction_reads_nothing(tmp_path, monkeypatch):
    """However large the files are, creating a writer lists them and no more."""
    path = write(tmp_path, range(10))
    os.truncate(path, 1 << 30)  # a gigabyte, most of it a hole
    monkeypatch.setattr("builtins.open", None)
    earlier = EarlierRun(str(tmp_path))
    monkeypatch.undo()
    assert not earlier.finished
    assert read_all(earlier).last_step("loss")[0] == 9

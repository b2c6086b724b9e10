"""The audit that goes on where it stopped: whatever happens to the files, its report is that of a fresh audit."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

import safewriter.audit.reading as auditing
from safewriter import Audit, AuditReport, audit_logdir
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of
from safewriter.findings import Finding

NAMES = ("events.out.tfevents.1.host", "events.out.tfevents.2.host")
RUNS = ("train", "eval")


def record(event):
    return record_of(event.SerializeToString())


VERSION = record(Event(wall_time=1.0, file_version="brain.Event:2"))


def scalar(step, number=1.0, tag="loss", wall_time=None):
    event = Event(wall_time=10.0 + step if wall_time is None else wall_time, step=step)
    event.summary.value.add(tag=tag, simple_value=number)
    return record(event)


def histogram(step):
    event = Event(wall_time=10.0 + step, step=step)
    event.summary.value.add(tag="loss").histo.sum = 1
    return record(event)


def write(path, *pieces, mode="wb"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, mode) as file:
        file.write(b"".join(pieces))
    return path


def same(report, logdir):
    """Whether a report is that of a fresh audit, with all that is derived from it."""
    fresh = audit_logdir(logdir, points=8)
    assert repr(report) == repr(fresh)  # NaN differs from itself
    assert report.findings == fresh.findings
    assert [run.tags.keys() for run in report.runs] == [run.tags.keys() for run in fresh.runs]
    assert [run.path for run in report.runs] == [run.path for run in fresh.runs]
    return True


pieces = st.one_of(
    st.builds(scalar, st.integers(-1, 40), st.sampled_from([1.0, 2.0, float("nan")]), st.sampled_from(["loss", "b"])),
    st.integers(0, 2).map(lambda start: b"".join(scalar(start + step) for step in range(12))),
    st.just(b"".join(scalar(0, tag="stuck") for _ in range(12))),
    st.builds(histogram, st.integers(0, 40)),
    st.just(VERSION),
    st.just(record(Event(graph_def=b"graph"))),
    st.just(record(Event(step=3, session_log={"status": 1}))),
    st.just(record_of(b"\xff" * 9)),
    st.integers(1, 40).map(bytes),
    st.binary(min_size=1, max_size=30),
    st.builds(lambda step, size: scalar(step)[:size], st.integers(0, 9), st.integers(1, 30)),
    st.builds(lambda step, size: scalar(step)[size:], st.integers(0, 9), st.integers(1, 30)),
)
# Most often one file, so that several things happen to it.
places = st.sampled_from([*[(RUNS[0], NAMES[0])] * 5, *((run, name) for run in RUNS for name in NAMES)])
parts = st.floats(0, 1, exclude_max=True)
steps = st.one_of(
    st.tuples(st.just("append"), places, st.lists(pieces, min_size=1, max_size=3)),
    st.tuples(st.just("append"), places, st.lists(pieces, min_size=1, max_size=3)),
    st.tuples(st.just("append"), places, st.lists(pieces, min_size=1, max_size=3)),
    st.tuples(st.just("truncate"), places, parts),
    st.tuples(st.just("damage"), places, parts, st.binary(min_size=1, max_size=5)),
    st.tuples(st.just("zeros"), places, parts, st.integers(1, 60)),
    st.tuples(st.just("fill"), places),
    st.tuples(st.just("split"), places, st.integers(1, 50), st.booleans()),
    st.tuples(st.just("replace"), places, st.lists(pieces, max_size=4)),
    st.tuples(st.just("rewrite"), places, st.lists(pieces, max_size=4)),
    st.tuples(st.just("delete"), places),
    st.tuples(st.just("remove"), st.sampled_from(RUNS)),
    st.tuples(st.just("settle")),
)
# What happens, and whether the audit looks before the next thing does.
stories = st.lists(st.tuples(steps, st.sampled_from([True, True, False])), min_size=2, max_size=14)


class Disk:
    """A log directory that things happen to."""

    def __init__(self, top):
        self.top = Path(top)
        self.holes = {}
        self.rest = None

    def path(self, place):
        return self.top.joinpath(*place)

    def append(self, place, new):
        write(self.path(place), *new, mode="ab")

    def rewrite(self, place, new):
        write(self.path(place), VERSION, *new)  # the same inode: what a second stock writer does

    def replace(self, place, new):
        os.replace(write(self.top / "new", VERSION, *new), self._there(place))

    def truncate(self, place, part):
        path = self._there(place)
        os.truncate(path, int(path.stat().st_size * part))

    def damage(self, place, part, new):
        self._overwrite(self._there(place), part, new)

    def zeros(self, place, part, size):
        path = self._there(place)
        content = path.read_bytes()
        at = int(len(content) * part)
        self.holes[path] = at, content[at : at + size]
        self._overwrite(path, part, bytes(min(size, len(content) - at)))

    def fill(self, place):
        path = self._there(place)
        at, content = self.holes.pop(path, (0, b""))
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(content)

    def split(self, place, size, damaged):
        """The first part of a record; its rest comes next, in one piece or after a look."""
        path = self._there(place)
        self.append(place, [bytes(9)] if damaged else [])
        self.rest = path, scalar(50, tag="split")[size:]
        self.append(place, [scalar(50, tag="split")[:size]])

    def delete(self, place):
        self._there(place).unlink()

    def remove(self, run):
        shutil.rmtree(self.top / run, ignore_errors=True)

    def settle(self):
        time.sleep(0.03)

    def _there(self, place):
        path = self.path(place)
        return path if path.exists() else write(path, VERSION, scalar(1))

    def _overwrite(self, path, part, new):
        with open(path, "r+b") as file:
            file.seek(int(path.stat().st_size * part))
            file.write(new)


@given(stories)
@example(  # a file that is read anew begins where it begins
    [
        (("append", (RUNS[0], NAMES[0]), [scalar(0)]), True),
        (("damage", (RUNS[0], NAMES[0]), 0.0, b"\0"), False),
        (("append", (RUNS[0], NAMES[0]), [b"\0"]), True),
    ]
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence(story):
    """After appends, truncations, replacements, deletions and damage the report equals that of a fresh audit."""
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.setattr(auditing, "LOOK_AGAIN", 0.0)  # nobody writes while we read
        patch.setattr(auditing, "TICK", 0.02)
        disk, audit = Disk(top), Audit(top, points=8)
        for (name, *arguments), look in story:
            rest, disk.rest = disk.rest, None
            if rest is not None and rest[0].exists():
                write(rest[0], rest[1], mode="ab")
            getattr(disk, name)(*arguments)
            assert not look or same(audit.update(), top)
        report = audit.update()
        assert same(report, top)
        disk.settle()
        assert audit.update() is report
        assert audit.update() is report


class TestRounds:
    @pytest.fixture(autouse=True)
    def _no_waiting(self, monkeypatch):
        monkeypatch.setattr(auditing, "LOOK_AGAIN", 0.0)

    @pytest.fixture
    def opened(self, monkeypatch):
        """The paths of the files that are opened, and from where on each is read."""
        offsets = []

        class Watched(auditing.RecordReader):
            def batches(self):
                offsets.append(self.offset)
                return super().batches()

        monkeypatch.setattr(auditing, "RecordReader", Watched)
        return offsets

    def test_only_what_is_new_is_read(self, tmp_path, opened):
        """A file that grew is read from where the last round ended."""
        path = write(tmp_path / NAMES[0], VERSION, *(scalar(step) for step in range(50)))
        audit = Audit(tmp_path, points=8)
        audit.update()
        size = path.stat().st_size
        write(path, scalar(50), mode="ab")
        assert audit.update().events == 52
        assert opened == [0, size]

    def test_damage_is_no_reason_to_begin_anew(self, tmp_path, opened):
        """Behind damage with whole records after it, a file that grows is read on."""
        path = write(tmp_path / NAMES[0], VERSION, b"?" * 30, scalar(1), scalar(2))
        audit = Audit(tmp_path, points=8)
        audit.update()
        write(path, scalar(3), mode="ab")
        assert same(audit.update(), tmp_path)
        assert opened[1] > 0

    def test_zeros_at_the_tail_that_are_filled_in_later(self, tmp_path):
        """What NFS shows as zeros for a while is damage until it is there, and sound from then on."""
        content = b"".join([VERSION, *(scalar(step) for step in range(9))])
        path = write(tmp_path / NAMES[0], content[:-60], bytes(60))
        audit = Audit(tmp_path, points=8)
        assert [finding.code for finding in audit.update().findings] == ["SW602"]
        write(path, content, scalar(9), mode="r+b")
        report = audit.update()
        assert (report.findings, report.events) == ((), 11)

    def test_what_was_judged_is_judged_again(self, tmp_path):
        """A tag that seemed to be written without a step, and then goes on to others, is a tag whose step froze."""
        path = write(tmp_path / NAMES[0], VERSION, *(scalar(0) for _ in range(15)))
        audit = Audit(tmp_path, points=8)
        assert [finding.code for finding in audit.update().findings] == ["SW402"]
        write(path, scalar(1), scalar(1, tag="b"), mode="ab")
        report = audit.update()
        assert [finding.code for finding in report.findings] == ["SW404"]
        assert same(report, tmp_path)

    def test_no_buffer_is_kept(self, tmp_path):
        """Between two rounds nothing of a file's content is held."""
        write(tmp_path / NAMES[0], VERSION, *(scalar(step) for step in range(5000)))
        audit = Audit(tmp_path, points=8)
        audit.update()
        (known,) = audit._known.values()
        assert known.auditor._reader._buffer == b""

    def test_unchanged_runs_are_the_same_objects(self, tmp_path):
        """Where one run grows, the others keep their report, and with it their findings."""
        for run in RUNS:
            write(tmp_path / run / NAMES[0], VERSION, scalar(1))
        audit = Audit(tmp_path, points=8)
        before = audit.update().runs
        write(tmp_path / "train" / NAMES[0], scalar(2), mode="ab")
        after = audit.update().runs
        assert [one is other for one, other in zip(before, after, strict=True)] == [True, False]

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says who has a file open")
    def test_a_writer_that_ends(self, tmp_path):
        """An unfinished end is on its way while a writer holds the file, and torn once it is closed."""
        audit = Audit(tmp_path, points=8)
        with open(tmp_path / NAMES[0], "wb") as file:
            file.write(VERSION + scalar(1) + scalar(2)[:-5])
            file.flush()
            assert audit.update().findings == ()
            assert audit.update().findings == ()
        assert [finding.code for finding in audit.update().findings] == ["SW601"]
        assert same(audit.update(), tmp_path)

    def test_processes_first(self, tmp_path):
        """The first round may be read by several processes; the next ones go on from it."""
        for run in RUNS:
            write(tmp_path / run / NAMES[0], VERSION, *(scalar(step) for step in range(9)))
        audit = Audit(tmp_path, jobs=2, points=8)
        assert same(audit.update(), tmp_path)
        write(tmp_path / "train" / NAMES[0], scalar(9), mode="ab")
        assert same(audit.update(), tmp_path)

    def test_one_directory_within_another(self, tmp_path):
        """A file below two of the log directories is read, and counted, once."""
        write(tmp_path / "train" / NAMES[0], VERSION, scalar(1))
        assert Audit([tmp_path, tmp_path / "train"]).update().events == 2


class TestTrouble:
    def test_a_missing_directory(self, tmp_path):
        """A log directory that is missing is an error, or, where it may be missing, a problem until it is there."""
        with pytest.raises(FileNotFoundError):
            Audit(tmp_path / "logs")
        audit = Audit(tmp_path / "logs", points=8, missing_ok=True)
        (problem,) = audit.update().problems
        assert (problem.path, problem.errno) == (str(tmp_path / "logs"), 2)
        assert audit.update() is audit.report()
        write(tmp_path / "logs" / NAMES[0], VERSION, scalar(1))
        assert same(audit.update(), tmp_path / "logs")

    def test_a_directory_that_vanishes(self, tmp_path):
        """A log directory that is removed later is a finding, and the others are read."""
        for name in ("a", "b"):
            write(tmp_path / name / NAMES[0], VERSION, scalar(1))
        audit = Audit([tmp_path / "a", tmp_path / "b"])
        audit.update()
        shutil.rmtree(tmp_path / "a")
        report = audit.update()
        assert ([run.path for run in report.runs], len(report.problems)) == ([str(tmp_path / "b")], 1)

    def test_a_file_that_breaks_the_reader(self, tmp_path, monkeypatch):
        """Whatever goes wrong with one file is a finding on that file, and the round goes on."""
        bad = write(tmp_path / "bad" / NAMES[0], VERSION, scalar(1))
        write(tmp_path / "good" / NAMES[0], VERSION, scalar(1))
        real = auditing.open_event_file
        monkeypatch.setattr(auditing, "open_event_file", lambda path: None if path == str(bad) else real(path))
        audit = Audit(tmp_path, points=8)
        assert [finding.code for finding in audit.update().findings] == ["SW605"]
        monkeypatch.undo()
        assert audit.update().findings == ()

    def test_a_round_that_is_broken_off(self, tmp_path):
        """What a callback raises ends the round; what was read is known, and the next round completes it."""
        for number in range(5):
            write(tmp_path / str(number) / NAMES[0], VERSION, scalar(1))
        audit = Audit(tmp_path, points=8)

        def stop(read, known):
            if read > 100:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            audit.update(stop)
        report = audit.report()
        assert (report.interrupted, 0 < len(report.files) < 5) == (True, True)
        assert same(audit.update(), tmp_path)

    def test_remote(self, tmp_path):
        """A remote file that changes is read again, one that does not is not."""
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        system.pipe("/followed/a.tfevents", VERSION + scalar(1))
        try:
            audit = Audit("memory://followed")
            report = audit.update()
            assert (report.events, audit.update() is report) == (2, True)
            system.pipe("/followed/a.tfevents", VERSION + scalar(1) + scalar(2))
            assert audit.update().events == 3
        finally:
            system.rm("/followed", recursive=True)

    def test_a_url_that_cannot_be_read(self, monkeypatch):
        """A URL without fsspec is an error that says what to install, or a problem that does."""
        monkeypatch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(ModuleNotFoundError):
            Audit("s3://bucket/logs")
        (problem,) = Audit("s3://bucket/logs", missing_ok=True).update().problems
        assert "pip install fsspec" in problem.error


class TestThreads:
    def test_partial_results(self, tmp_path):
        """While a long round is under way, each file that is read is in the report."""
        for number in range(9):
            write(tmp_path / str(number) / NAMES[0], VERSION, scalar(1))
        audit = Audit(tmp_path, points=8)
        seen = []
        audit.update(lambda read, known: seen.append(audit.report()))
        assert [len(report.runs) for report in seen] == sorted(len(report.runs) for report in seen)
        assert all(report.interrupted for report in seen)
        assert len(seen[-1].runs) == 9
        assert not audit.report().interrupted

    def test_asked_from_other_threads(self, tmp_path):
        """Any thread may ask for the report while one updates."""
        paths = [write(tmp_path / str(number) / NAMES[0], VERSION, scalar(0)) for number in range(20)]
        audit = Audit(tmp_path, points=8)
        stop, reports = threading.Event(), []

        def ask():
            while not stop.wait(0.002):
                reports.append(audit.report())

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for step in range(1, 10):
            for path in paths:
                write(path, scalar(step), mode="ab")
            audit.update()
        stop.set()
        for thread in threads:
            thread.join()
        assert all(isinstance(report, AuditReport) for report in reports)
        assert all(isinstance(finding, Finding) for report in reports[-3:] for finding in report.findings)
        assert audit.report().events == 20 * 11


@pytest.mark.usefixtures("tf")
def test_a_stock_writer_is_followed(tmp_path):
    """While TensorFlow's writer writes, no round finds anything, and the last has every event."""
    program = """
import sys, time
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
writer = tf.summary.FileWriter(sys.argv[1])
for step in range(200):
    value = tf.Summary.Value(tag="loss", simple_value=1.0, node_name="n" * 900)
    writer.add_summary(tf.Summary(value=[value]), step)
    if step % 20 == 0:
        writer.flush()
    time.sleep(0.002)
writer.close()
"""
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, tmp_path])
    audit, counts = Audit(tmp_path, points=8), []
    while child.poll() is None:
        report = audit.update()
        counts.append(report.events)
        assert [finding.code for finding in report.findings if report.files] == []
    assert child.returncode == 0
    assert counts == sorted(counts)
    report = audit.update()
    assert (report.events, report.findings) == (201, ())

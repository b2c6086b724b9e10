"""What a writer says of the processes beside it, and when."""

import gc
import json
import os
import warnings

import pytest
import tensorflow.compat.v1 as tf

from safewriter import DistributionWarning, SafeFileWriter, SafeWriterError
from safewriter.recording import watch
from safewriter.system.neighbours import Neighbours
from safewriter.testing import capture_findings

FAR = "events.out.tfevents.1700000000.far.77.0"


def scalar(value):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=value)])


@pytest.fixture
def far(tmp_path, graph):
    """Lets a process of another host write into the directory."""

    def write():
        with open(tmp_path / FAR, "ab") as file:
            file.write(b"event")

    write()
    return write


def codes(findings):
    return [finding.code for finding in findings]


def test_another_hosts_growing_file_is_told_at_close(tmp_path, far):
    """The last look is taken when the writer is closed; the report holds what it showed."""
    with capture_findings() as findings:
        writer = SafeFileWriter(str(tmp_path))
        far()
        writer.close()
    assert codes(findings) == ["SW203"]
    assert "process 77 on far" in findings[0].message
    assert writer.report().findings == tuple(findings)


def test_another_hosts_finished_file_is_silent(tmp_path, far):
    """A file that does not change is a finished run's."""
    with capture_findings() as findings, SafeFileWriter(str(tmp_path)) as writer:
        writer.add_summary(scalar(1.0), 0)
        writer.flush()
    assert findings == []


def test_a_look_is_taken_on_flush(tmp_path, far, monkeypatch):
    """When ten seconds have passed, a flush looks; the warning points at its line."""
    monkeypatch.setattr(watch, "INTERVAL", 0)
    with SafeFileWriter(str(tmp_path)) as writer:
        far()
        with pytest.warns(DistributionWarning, match="SW203") as caught:
            writer.flush()
    assert [each.filename for each in caught] == [__file__]


def test_no_look_is_taken_on_every_flush(tmp_path, far):
    """Within ten seconds of a look, a flush costs what it costs."""
    with capture_findings() as findings, SafeFileWriter(str(tmp_path)) as writer:
        far()
        writer.flush()
        assert findings == []


def test_a_neighbour_is_told_once_however_long_it_writes(tmp_path, far, monkeypatch):
    """One warning for the directory, not one for each flush."""
    monkeypatch.setattr(watch, "INTERVAL", 0)
    with warnings.catch_warnings(record=True) as caught, SafeFileWriter(str(tmp_path)) as writer:
        warnings.simplefilter("always")
        for _ in range(5):
            far()
            writer.flush()
    assert len(caught) == 1


def test_strict_raises_where_it_would_have_warned(tmp_path, far, monkeypatch):
    """Under strict, the flush that finds a neighbour raises, and its events are on disk."""
    monkeypatch.setattr(watch, "INTERVAL", 0)
    writer = SafeFileWriter(str(tmp_path), strict=True)
    writer.add_summary(scalar(1.0), 0)
    far()
    with pytest.raises(SafeWriterError, match="SW203"):
        writer.flush()
    assert writer.report().landed == 1
    writer.close()


def test_ignored_is_silent(tmp_path, far):
    """A directory may be shared on purpose."""
    with capture_findings() as findings, SafeFileWriter(str(tmp_path), ignore="logdir-shared-by-processes"):
        far()
    assert findings == []


def test_a_writer_that_is_never_closed_takes_its_last_look_too(tmp_path, far):
    """Workers often end without closing; what was seen by then is reported."""
    with capture_findings() as findings:
        writer = SafeFileWriter(str(tmp_path))
        far()
        del writer
        gc.collect()
    assert codes(findings) == ["SW203"]


def test_wrong_settings_alone_are_no_warning(tmp_path, graph, monkeypatch):
    """A TF_CONFIG that can't be read is in the report; a single writer before any scope is right all the same."""
    monkeypatch.setenv("TF_CONFIG", "{")
    with capture_findings() as findings, SafeFileWriter(str(tmp_path)) as writer:
        pass
    assert findings == []
    assert writer.report().role.startswith("single process. TF_CONFIG is not JSON")


def test_the_report_names_the_role(tmp_path, graph, monkeypatch):
    """Which of the workers this process is stands in the report, and decides nothing."""
    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    with capture_findings() as findings, SafeFileWriter(str(tmp_path)) as writer:
        pass
    assert findings == []
    assert writer.report().role == "worker 1 of 2 (TF_CONFIG)"


def test_a_writer_in_a_scope_is_told_at_its_line(tmp_path, graph):
    """The warning points at the line that is to be moved."""
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.warns(DistributionWarning, match="SW201") as caught:
        SafeFileWriter(str(tmp_path)).close()
    assert [each.filename for each in caught] == [__file__]


def test_under_strict_a_writer_in_a_scope_is_not_created(tmp_path, graph):
    """The error comes before anything is in the directory."""
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(SafeWriterError, match="SW201"):
        SafeFileWriter(str(tmp_path / "logs"), strict=True)
    assert not (tmp_path / "logs").exists()


def test_a_look_that_fails_does_not_reach_the_training(tmp_path, graph, monkeypatch):
    """A fault of our own is SW901, and the events land."""

    def fail(*_, **__):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Neighbours, "look", fail)
    with capture_findings() as findings, SafeFileWriter(str(tmp_path)) as writer:
        writer.add_summary(scalar(1.0), 0)
        writer.flush()
    assert set(codes(findings)) == {"SW901"}
    assert writer.report().landed == 1


def test_nothing_but_the_event_file_is_left(tmp_path, graph):
    """Neither a lock nor a marker stands beside it, during the run or after."""
    with SafeFileWriter(str(tmp_path)) as writer:
        assert os.listdir(tmp_path) == [os.path.basename(writer.report().files[0].path)]
    assert len(os.listdir(tmp_path)) == 1


def test_a_remote_directory_is_not_listed(graph, monkeypatch):
    """Listing a bucket may cost money and seconds: of remote directories nothing is looked at."""
    monkeypatch.setattr(os, "listdir", None)
    with capture_findings() as findings, SafeFileWriter("ram://logs-of-a-worker") as writer:
        writer.add_summary(scalar(1.0), 0)
    assert findings == []

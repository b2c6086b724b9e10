"""Writers with ``session=``: TensorFlow writes the file, and what has landed is read back from it."""

import os

import pytest
import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter
from safewriter.testing import capture_findings


def points(tag, steps):
    """A summary for each step."""
    return [(tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=1.0)]), step) for step in steps]


@pytest.fixture
def session(graph):
    with tf.Session(graph=graph) as session:
        yield session


def test_flush_before_the_first_event(session, tmp_path, read_points):
    """A flush that finds the version record alone does not take the next event for it."""
    with capture_findings() as findings, SafeFileWriter(tmp_path, session=session) as writer:
        writer.flush()
        for summary, step in points("loss", range(20)):
            writer.add_summary(summary, step)
        writer.flush()
        assert (writer.report().events, writer.report().landed) == (20, 20)
    report = writer.report()
    assert (report.events, report.landed, report.pending, report.lost) == (20, 20, 0, 0)
    assert findings == []
    assert len(read_points(tmp_path)["loss"]) == 20


def test_reopened(session, tmp_path, read_points):
    """Each file that the session's resource begins is counted."""
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path, session=session)
        for first in (0, 10, 20):
            for summary, step in points("loss", range(first, first + 10)):
                writer.add_summary(summary, step)
            writer.close()
            if first < 20:
                writer.reopen()
    report = writer.report()
    assert (report.events, report.landed) == (30, 30)
    assert sum(file.events for file in report.files) == 30
    assert len(read_points(tmp_path)["loss"]) == 30
    assert findings == []


def test_the_file_is_removed(session, tmp_path):
    """What was written to a file that is gone is told once, with its number."""
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path, session=session)
        for summary, step in points("loss", range(10)):
            writer.add_summary(summary, step)
        writer.flush()
        os.unlink(writer.report().files[0].path)
        writer.flush()
        writer.close()
    assert [finding.code for finding in findings] == ["SW503"]
    assert "10 of its 10 events went with it" in findings[0].message
    report = writer.report()
    assert (report.events, report.landed, report.lost) == (10, 0, 10)


def test_on_another_file_system(session):
    """Where files can't be listed by us, the resource's word is taken."""
    with capture_findings() as findings, SafeFileWriter("ram://session_logs", session=session) as writer:
        for summary, step in points("loss", range(5)):
            writer.add_summary(summary, step)
    assert (writer.report().events, writer.report().landed) == (5, 5)
    assert findings == []


def test_the_session_is_closed_first(graph, tmp_path):
    """An add through a closed session raises what TensorFlow raises, and the event is not counted."""
    with capture_findings() as findings:
        session = tf.Session(graph=graph)
        writer = SafeFileWriter(tmp_path, session=session)
        (first, _), (second, _) = points("loss", range(2))
        writer.add_summary(first, 0)
        writer.flush()
        session.close()
        with pytest.raises(RuntimeError, match="closed Session"):
            writer.add_summary(second, 1)
        with pytest.raises(RuntimeError, match="closed Session"):
            writer.close()
    assert (writer.report().summaries, writer.report().events, writer.report().landed) == (1, 1, 1)
    assert [finding.code for finding in findings] == []

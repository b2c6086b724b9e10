"""Writers with ``session=``: TensorFlow writes the file, and what has landed is read back from it."""

import os

import pytest
import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter, SafeWriterError
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


def test_the_file_is_removed(session, tmp_path, read_points):
    """What was written to a file that is deleted is copied, what comes after it goes to a new one: SW503, once."""
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path, session=session)
        for summary, step in points("loss", range(10)):
            writer.add_summary(summary, step)
        os.unlink(writer.report().files[0].path)
        writer.flush()
        for summary, step in points("loss", range(10, 20)):
            writer.add_summary(summary, step)
        writer.close()
    assert [finding.code for finding in findings] == ["SW503"]
    assert "no event was lost" in findings[0].message
    report = writer.report()
    assert (report.events, report.landed, report.lost) == (20, 20, 0)
    assert sorted(step for step, _ in read_points(tmp_path)["loss"]) == list(range(20))


def test_killed(run_forked, tmp_path, read_points):
    """An event is with the operating system when its add returns: a kill takes none."""
    run_forked("""
import os
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter
tf.disable_eager_execution()
writer = SafeFileWriter("logs", session=tf.Session())
for step in range(5):
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)
os.kill(os.getpid(), 9)
""")
    assert [step for step, _ in read_points(tmp_path / "logs")["loss"]] == list(range(5))


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


def test_a_plain_writer_beside(session, tmp_path):
    """The file of a plain writer in the same directory, and its end, are not taken for the session's."""
    with capture_findings() as findings:
        plain = SafeFileWriter(tmp_path, ignore="SW204")
        through = SafeFileWriter(tmp_path, session=session, ignore="SW204")
        for summary, step in points("loss", range(10)):
            plain.add_summary(summary, step)
            through.add_summary(summary, step)
        through.flush()
        assert [report.report().events for report in (plain, through)] == [10, 10]
        os.unlink(plain.report().files[0].path)
        through.flush()
        assert (through.report().landed, through.report().lost) == (10, 0)
        assert findings == []
        plain.close()
        through.close()
    assert [finding.code for finding in findings] == ["SW503"]
    assert findings[0].path == plain.report().files[0].path
    assert (plain.report().lost, through.report().lost) == (10, 0)


def test_two_of_one_session_are_reported(session, tmp_path):
    """Two ``session=`` writers on one directory: SW204 with both lines; what the closed resource refuses is counted."""
    with capture_findings() as findings:
        first = SafeFileWriter(tmp_path, session=session)
        second = SafeFileWriter(tmp_path, session=session)
        (summary, _), *_ = points("loss", range(1))
        first.add_summary(summary, 0)
        second.add_summary(summary, 1)
        first.close()
        with pytest.raises(SafeWriterError, match=r"1 event was not written .* created at .*test_session.py"):
            second.add_summary(summary, 2)
        second.close()
    shared, refused = findings
    assert (shared.code, refused.code) == ("SW204", "SW502")
    assert first.report().created_at in shared.message
    assert second.report().created_at == shared.created_at
    assert "one summary resource" in shared.message
    assert refused.data["failed_calls"] == 1
    assert first.report().created_at in refused.message
    assert (first.report().landed, second.report().landed, second.report().lost) == (1, 1, 0)


def test_two_of_one_session_that_end_together(session, tmp_path):
    """Where nothing is added after the first close, nothing is lost, and nothing is said but SW204."""
    with capture_findings() as findings:
        writers = [SafeFileWriter(tmp_path, session=session) for _ in range(2)]
        for writer in writers:
            for summary, step in points("loss", range(3)):
                writer.add_summary(summary, step)
        for writer in writers:
            writer.close()
    assert [finding.code for finding in findings] == ["SW204"]
    assert [writer.report().landed for writer in writers] == [3, 3]


def test_a_writer_beside_a_monitored_session(tmp_path):
    """A writer of one's own on the ``checkpoint_dir`` of a ``MonitoredTrainingSession``: SW204, once."""
    with capture_findings() as findings, tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        x = tf.get_variable("x", initializer=1.0)
        tf.summary.scalar("loss", x)
        step = tf.assign_add(tf.train.get_global_step(), 1)
        options = {"checkpoint_dir": str(tmp_path), "save_summaries_steps": 1}
        with tf.train.MonitoredTrainingSession(**options) as running, SafeFileWriter(tmp_path) as writer:
            for number in range(3):
                running.run(step)
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="mine", simple_value=1.0)]), number)
        tf.summary.FileWriterCache.clear()
    assert [finding.code for finding in findings] == ["SW204"]
    assert "MonitoredTrainingSession" in findings[0].message


def test_a_monitored_session_elsewhere(tmp_path):
    """A writer with a directory of its own beside a ``MonitoredTrainingSession`` is left alone."""
    with capture_findings() as findings, tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        step = tf.assign_add(tf.train.get_global_step(), 1)
        checkpoints = str(tmp_path / "checkpoints")
        with (
            tf.train.MonitoredTrainingSession(checkpoint_dir=checkpoints) as running,
            SafeFileWriter(tmp_path / "mine") as writer,
        ):
            running.run(step)
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="mine", simple_value=1.0)]), 1)
        tf.summary.FileWriterCache.clear()
    assert findings == []

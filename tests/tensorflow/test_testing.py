"""``capture_findings``: what users' own tests ask for."""

import pytest
import tensorflow as tf

from safewriter import SafeFileWriter, SafeWriterError
from safewriter.testing import capture_findings

v1 = tf.compat.v1


def scalar(tag="loss", number=0.5):
    return v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=number)])


def codes(findings):
    return [finding.code for finding in findings]


def test_nothing_wrong(graph, tmp_path):
    """A training that is right leaves the list empty."""
    op = v1.summary.scalar("loss", 1.0)
    with capture_findings() as findings, v1.Session() as sess, SafeFileWriter(tmp_path) as writer:
        writer.add_summary(sess.run(op), 1)
    assert findings == []


def test_collected_instead_of_warned(graph, tmp_path, recwarn):
    """Findings are in the list when they come up, and no warning is given."""
    with capture_findings() as findings, SafeFileWriter(tmp_path) as writer:
        writer.add_summary(scalar(number=float("nan")), 1)
        assert codes(findings) == ["SW401"]
        writer.add_summary(scalar(), 0)
        assert codes(findings) == ["SW401", "SW403"]
    assert [warning for warning in recwarn if "SW" in str(warning.message)] == []


def test_judged_as_if_the_program_ended(graph, tmp_path):
    """Writers left open and summaries that none got are reported at the end of the block."""
    v1.summary.scalar("loss", 1.0)
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path, graph)
        writer.add_summary(scalar("other"), 1)
    assert codes(findings) == ["SW501", "SW301"]
    writer.close()
    assert codes(findings) == ["SW501", "SW301"]


def test_tests_do_not_hide_each_others_findings(graph, tmp_path):
    """A tag that an earlier test wrote by hand does not count for the graph of a later one."""
    for run in range(2):
        with tf.Graph().as_default() as mine, capture_findings() as findings:
            v1.summary.scalar("loss", 1.0)
            writer = SafeFileWriter(tmp_path / str(run), mine)
            writer.close()
        assert codes(findings) == ["SW301"]
        with tf.Graph().as_default(), SafeFileWriter(tmp_path / f"by-hand{run}") as writer:
            writer.add_summary(scalar(), 1)


def test_writer_goes_on_afterwards(graph, tmp_path, read_points):
    """The end of the block closes no writer."""
    with capture_findings():
        writer = SafeFileWriter(tmp_path)
        writer.add_summary(scalar(), 1)
    writer.add_summary(scalar(), 2)
    writer.close()
    assert [step for step, _ in read_points(tmp_path)["loss"]] == [1, 2]


def test_used_after_close(graph, tmp_path):
    """Adds after close are summed up at the end of the block."""
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path)
        writer.close()
        for _ in range(3):
            with pytest.warns(UserWarning, match="closed FileWriter"):
                writer.add_summary(scalar(), 1)
        assert findings == []
    assert [(finding.code, finding.count) for finding in findings] == [("SW504", 3)]


@pytest.mark.parametrize("run", range(2))
def test_writers_of_a_loop(graph, tmp_path, run):
    """Writers that one line created and nobody closed are summed up, in each capture anew."""
    with capture_findings() as findings:
        kept = [SafeFileWriter(tmp_path / str(number)) for number in range(4)]
        for writer in kept:
            writer.add_summary(scalar(), 1)
        del kept[:2], writer
    assert codes(findings) == ["SW501", "SW501"]
    assert (findings[1].count, findings[1].data["events"]) == (3, 3)
    assert [finding.code for finding in kept[0].report().findings] == ["SW501"]


def test_only_what_was_created_inside(graph, tmp_path):
    """A writer from before the block is not judged at its end."""
    before = SafeFileWriter(tmp_path / "before")
    before.add_summary(scalar(), 1)
    with capture_findings() as findings:
        before.add_summary(scalar(), 2)
    assert findings == []
    before.close()


def test_nested(graph, tmp_path):
    """The innermost block collects; the outer one gets what comes afterwards."""
    with capture_findings() as outer:
        with SafeFileWriter(tmp_path) as writer:
            writer.add_summary(scalar(), 5)
            with capture_findings() as inner:
                writer.add_summary(scalar(), 4)
            writer.add_summary(scalar("other", float("inf")), 4)
        assert codes(inner) == ["SW403"]
    assert codes(outer)[0] == "SW401"
    assert "SW403" not in codes(outer)[:1]


def test_errors_are_raised_as_ever(graph, tmp_path):
    """What can't work is raised inside the block too."""
    with capture_findings() as findings, SafeFileWriter(tmp_path) as writer, pytest.raises(SafeWriterError):
        writer.add_summary(None, 1)
    assert findings == []


def test_strict_is_raised_as_ever(graph, tmp_path):
    """So is everything under strict; at the end of the block it is collected."""
    with capture_findings() as findings:
        writer = SafeFileWriter(tmp_path, strict=True)
        writer.add_summary(scalar(), 5)
        with pytest.raises(SafeWriterError, match="SW403"):
            writer.add_summary(scalar(), 4)
    assert codes(findings) == ["SW501"]
    writer.close()


def test_exception_leaves_the_block(graph, tmp_path):
    """An exception goes through, and the capture ends."""
    writer = SafeFileWriter(tmp_path)
    with pytest.raises(ZeroDivisionError), capture_findings():
        writer.add_summary(scalar(number=1 / (writer.report().events)), 1)
    writer.add_summary(scalar(), 1)
    with pytest.warns(UserWarning, match="SW403"):
        writer.add_summary(scalar(), 0)
    writer.close()


def test_without_tensorflow(run_program):
    """It can be used by a program that has no writer at all, and loads no TensorFlow for it."""
    outcome = run_program("""
import sys
from safewriter.testing import capture_findings
with capture_findings() as findings:
    pass
print(findings, "tensorflow" in sys.modules)
""")
    assert outcome.stdout == "[] False\n"

"""Tables for notebooks: what stands in them is shown, and never interpreted."""

import os
import sys

import pytest

from safewriter import AuditReport, Finding, TagStats, WriterReport, audit_logdir
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of
from safewriter.findings import html

HOSTILE = "<img src=x onerror='alert(1)'>&\"\udcff"
ESCAPED = "&lt;img src=x onerror=&#x27;alert(1)&#x27;&gt;&amp;&quot;\\udcff"


def test_a_table():
    """Rows are rows, cells are cells, and whatever stands in them is escaped."""
    page = html.tables((["a", HOSTILE], [[1, HOSTILE], [None, "x"]]))
    assert page.count("<tr>") == 3
    assert page.count(ESCAPED) == 2
    assert "<img" not in page
    assert "<td>1</td>" in page
    page.encode()  # a page is UTF-8


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux takes any bytes for a name")
def test_a_report_in_a_notebook(tmp_path):
    """A report shows its runs and its findings; a hostile name of a run or tag is text."""
    directory = os.path.join(os.fsencode(tmp_path), b"<img src=x>\xff")
    os.mkdir(directory)
    event = Event(wall_time=1.0, step=1)
    event.summary.value.add(tag="<script>", simple_value=float("nan"))
    with open(os.path.join(directory, b"a.tfevents"), "wb") as file:
        for each in (Event(wall_time=1.0, file_version="brain.Event:2"), event):
            file.write(record_of(each.SerializeToString()))
    page = audit_logdir(tmp_path)._repr_html_()
    page.encode()
    assert ("<img" in page, "<script>" in page) == (False, False)
    assert "&lt;img src=x&gt;\\udcff" in page
    assert "SW401 not-finite" in page
    assert "&lt;script&gt;" in page


def test_long_and_empty_reports(tmp_path):
    """A report of many runs says how many it leaves out, and one of nothing says so."""
    for number in range(105):
        (tmp_path / f"{number:03}").mkdir()
        (tmp_path / f"{number:03}" / "a.tfevents").write_bytes(record_of(Event(step=1).SerializeToString()))
    assert "and 5 more" in audit_logdir(tmp_path)._repr_html_()
    assert "No event files" in AuditReport()._repr_html_()


def test_a_writers_report_in_a_notebook():
    """It shows what became of the events, tags and findings, with every name escaped and long tables cut."""
    tags = {f"<b>{number}": TagStats(3, 1, 2, 0) for number in range(150)}
    finding = Finding("SW401", "a <NaN>", "look")
    report = WriterReport(
        "<logs>", (), "a.py:1", "single process", 3, 5, 4, 0, 1, tags, (("<op>", "a.py:2"),), (finding,)
    )
    page = report._repr_html_()
    assert "&lt;logs&gt;" in page
    assert "&lt;op&gt;" in page
    assert "a &lt;NaN&gt;" in page
    assert "and 50 more" in page
    assert "<b>" not in page

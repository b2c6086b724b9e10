"""The ways of ten public reports end where the page says."""

import pytest
import reports
import shown

from safewriter.findings import CATALOGUE, page

ROWS = next(text for _, name, text in shown.tables() if name == "reports").splitlines()[2:]


@pytest.mark.parametrize("report", reports.REPORTS, ids=lambda report: report.code)
def test_one_command_names_the_line_and_the_change_is_all(report):
    """``safewriter run`` names the line to change; after the change nothing is reported and every point is there."""
    way = reports.walk(report)
    assert report.code in way.codes
    assert way.line
    assert way.left == []
    (row,) = [row for row in ROWS if page.issue(report.issue) in row]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:] == [
        "1 command",
        f"[{report.code}](codes/{report.code}.md), line {report.number}",
        str(reports.clicks(report.code)),
        str(way.points),
    ]


def test_there_are_ten_and_the_start_page_leads_to_each():
    """Ten reports, each one click from the page of its code; most are named there themselves."""
    assert len(ROWS) == len(reports.REPORTS) == 10
    assert {reports.clicks(report.code) for report in reports.REPORTS} == {1}
    assert all(CATALOGUE[report.code].symptom is not None for report in reports.REPORTS)

"""For tests of your own training code: what would safewriter have said?

from safewriter.testing import capture_findings

def test_every_summary_is_written(tmp_path):
    with capture_findings() as findings:
        train(tmp_path)
    assert findings == []
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safewriter.findings import Finding


@contextmanager
def capture_findings() -> Iterator[list[Finding]]:
    """Collects findings in a list instead of warning of them.

    At its end, what was created inside is judged as if the program ended there: writers that were neither flushed nor
    closed, adds after close, summary ops that never reached a writer. Findings of kind *error*, and under ``strict``
    all, are raised as ever. Captures nest; the innermost collects.

    Yields:
        The list, in the order of reporting; complete when the block is left.
    """
    from safewriter.recording import scope  # here: the pytest plugin is loaded in each session, and mostly is off

    with scope.capture() as findings:
        yield findings

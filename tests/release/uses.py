"""Typical programs of users, for type checkers: each thing that safewriter gives has the type that is asserted here.

It is never run: ``test_types.py`` has mypy and pyright check it, at their strictest, against the installed package.
What is ``Any`` by accident fails an ``assert_type``; an ``ignore`` that nothing needs is an error too.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from typing_extensions import assert_type

import safewriter
from safewriter import (
    Audit,
    AuditReport,
    DistributionWarning,
    EventFileWarning,
    Finding,
    GraphWarning,
    InternalWarning,
    LandingWarning,
    LogdirWarning,
    SafeFileWriter,
    SafeWriterError,
    SafeWriterWarning,
    TagStats,
    ValuesWarning,
    WriterReport,
    audit_file,
    audit_logdir,
    create_file_writer,
    install,
    uninstall,
)
from safewriter.audit import FileFacts, Point, Problem, RunReport, TagFacts, series
from safewriter.findings import Kind
from safewriter.keras import TensorBoard
from safewriter.patching import Installation
from safewriter.testing import capture_findings
from safewriter.writer_v2 import SafeSummaryWriter


def writes(summary: bytes) -> WriterReport:
    """A v1 writer as a context manager, with each method that adds."""
    with SafeFileWriter("logs", strict=True, ignore=("SW401", "no-step"), resume_step=300) as writer:
        assert_type(writer, SafeFileWriter)
        assert_type(writer.add_summary(summary, global_step=1), None)
        assert_type(writer.add_event(object()), None)
        assert_type(writer.add_graph(object()), None)
        assert_type(writer.add_meta_graph(object(), 1), None)
        assert_type(writer.add_run_metadata(object(), "step 1", 1), None)
        assert_type(writer.add_session_log(object(), 1), None)
        assert_type(writer.flush(), None)
        assert_type(writer.get_logdir(), str)
        assert_type(writer.reopen(), None)
        assert_type(writer.close(), None)
    return assert_type(writer.report(), WriterReport)


class MyWriter(SafeFileWriter):
    """A subclass is what its own block gives."""


def writes_by_a_subclass() -> None:
    """A writer of a class of the user's."""
    with MyWriter(b"logs") as writer:
        assert_type(writer, MyWriter)


def reads(report: WriterReport) -> None:
    """Each field of a writer's report."""
    assert_type(report.logdir, str)
    assert_type([file.path for file in report.files], list[str])
    assert_type([file.bytes + file.events for file in report.files], list[int])
    assert_type(report.created_at, str)
    assert_type(report.role, str)
    assert_type(report.summaries, int)
    assert_type(report.events, int)
    assert_type(report.landed, int)
    assert_type(report.pending, int)
    assert_type(report.lost, int)
    assert_type(report.tags["loss"], TagStats)
    assert_type(report.tags["loss"].count, int)
    assert_type(report.tags["loss"].first_step, int)
    assert_type(report.tags["loss"].last_step, int)
    assert_type(report.tags["loss"].not_finite, int)
    assert_type(report.tags["loss"].as_dict(), dict[str, int])
    assert_type(report.never_written, tuple[tuple[str, str], ...])
    for finding in report.findings:
        shows(assert_type(finding, Finding))


def shows(finding: Finding) -> str:
    """Each field of a finding."""
    assert_type(finding.code, str)
    assert_type(finding.name, str)
    assert_type(finding.kind, Kind)
    assert_type(finding.message, str)
    assert_type(finding.hint, str)
    assert_type(finding.subject, str)
    assert_type(finding.count, int)
    assert_type(finding.created_at, str | None)
    assert_type(finding.path, str | None)
    assert_type(finding.raises, type[Exception] | None)
    return f"{finding.code} {finding.message}"


def writes_with_tf2() -> None:
    """A TF2 writer: what ``report`` and ``as_default`` give is known."""
    writer = create_file_writer("logs", flush_millis=1000, strict=False, ignore="SW4")
    assert_type(writer, SafeSummaryWriter)
    with writer.as_default(step=1) as same:
        assert_type(same, SafeSummaryWriter)
    assert_type(writer.as_default(), AbstractContextManager[SafeSummaryWriter])
    assert_type(writer.set_as_default(), None)
    writer.flush()
    writer.close()
    reads(assert_type(writer.report(), WriterReport))


def trains_with_keras() -> list[TensorBoard]:
    """Keras' callback, with its arguments and ours."""
    return [TensorBoard("logs", histogram_freq=1, update_freq=100, chief_only=True, ignore=("SW401",))]


def writes_without_an_edit() -> None:
    """The writers of a program that isn't edited, for a block and for good."""
    with install(ignore="SW4") as installation:
        assert_type(installation, Installation)
    install(strict=True)
    assert_type(uninstall(), None)


def audits() -> AuditReport:
    """Event files at rest; reports of parts are joined."""
    parts = [audit_file(path, points=50) for path in ("a", "b")]
    assert_type(parts, list[AuditReport])
    assert_type(functools.reduce(AuditReport.merge, parts, AuditReport()), AuditReport)
    whole = assert_type(audit_logdir("logs", jobs=2), AuditReport)
    assert_type(whole.merge(*parts), AuditReport)
    assert_type(whole.files, tuple[FileFacts, ...])
    assert_type(whole.empty, tuple[str, ...])
    assert_type(whole.problems, tuple[Problem, ...])
    assert_type(whole.interrupted, bool)
    assert_type(whole.findings, tuple[Finding, ...])
    assert_type((whole.bytes, whole.events, whole.summaries), tuple[int, int, int])
    for run in whole.runs:
        assert_type(run, RunReport)
        assert_type(run.path, str)
        assert_type(run.findings, tuple[Finding, ...])
        assert_type(run.tags, Mapping[str, TagFacts])
        assert_type(run.tags["loss"].kind, str)
        assert_type(run.tags["loss"].last_step, int)
        assert_type(run.tags["loss"].points, tuple[float, ...])
        assert_type(run.last_time, float)
        points = assert_type(series(run, "loss"), Iterator[Point])
        assert_type([(point.step, point.value) for point in points], list[tuple[int, float | None]])
    return whole


def follows() -> None:
    """An audit that goes on where it stopped."""
    audit = Audit(["logs", "more"], jobs=1, missing_ok=True)
    assert_type(audit.update(), AuditReport)
    assert_type(audit.update(lambda read, known: print(read, known), final=True), AuditReport)
    assert_type(audit.report(), AuditReport)


def tests_training_code() -> None:
    """What would safewriter have said?"""
    with capture_findings() as findings:
        writes(b"")
    assert_type(findings, list[Finding])
    assert not findings


def handles() -> None:
    """Errors and warnings carry their finding."""
    try:
        writes(b"")
    except SafeWriterError as error:
        shows(assert_type(error.finding, Finding))
    for category in (
        DistributionWarning,
        EventFileWarning,
        GraphWarning,
        InternalWarning,
        LandingWarning,
        LogdirWarning,
        ValuesWarning,
    ):
        leaf: type[SafeWriterWarning] = category
        warnings.simplefilter("ignore", leaf)
    with warnings.catch_warnings(record=True) as caught:
        writes(b"")
    for each in caught:
        if isinstance(each.message, SafeWriterWarning):
            assert_type(each.message.finding, Finding)


def is_wrong(report: WriterReport) -> None:
    """What a type checker must report: a mistyped name, a missing field, an argument of the wrong type."""
    print(safewriter.SafeFilewriter)  # type: ignore[attr-defined]
    print(report.landet)  # type: ignore[attr-defined]
    SafeFileWriter("logs", resume_step="300")  # type: ignore[arg-type]
    audit_logdir("logs", 4)  # type: ignore[call-arg]


assert_type(safewriter.__version__, str)

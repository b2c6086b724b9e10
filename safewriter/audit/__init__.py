"""Event files at rest: read them, ask the judges, report. Never imports TensorFlow.

``audit_logdir`` reads a directory tree as TensorBoard does, ``Audit`` follows one that grows, ``series`` reads the
points of one tag. ``audit_file`` reads one file, is pure and pickles, so that any engine can run it for thousands of
files, whose reports ``AuditReport.merge`` joins.
"""

from safewriter.audit.points import Point as Point, series as series
from safewriter.audit.report import (
    SCHEMA_VERSION as SCHEMA_VERSION,
    AuditReport as AuditReport,
    Problem as Problem,
    RunReport as RunReport,
)
from safewriter.audit.running import Audit as Audit, audit_file as audit_file, audit_logdir as audit_logdir
from safewriter.audit.walking import Source as Source, find_event_files as find_event_files
from safewriter.checks.file import FileFacts as FileFacts, TagFacts as TagFacts

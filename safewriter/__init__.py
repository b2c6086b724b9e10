"""safewriter ends silent loss of TensorFlow summaries.

The map: each public name and its home. Names are resolved at first use, so that ``import safewriter`` loads neither
TensorFlow nor protobuf.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safewriter.audit import (
        Audit as Audit,
        AuditReport as AuditReport,
        audit_file as audit_file,
        audit_logdir as audit_logdir,
    )
    from safewriter.checks.values import TagStats as TagStats
    from safewriter.findings import (
        DistributionWarning as DistributionWarning,
        EventFileWarning as EventFileWarning,
        Finding as Finding,
        GraphWarning as GraphWarning,
        InternalWarning as InternalWarning,
        LandingWarning as LandingWarning,
        LogdirWarning as LogdirWarning,
        SafeWriterError as SafeWriterError,
        SafeWriterWarning as SafeWriterWarning,
        ValuesWarning as ValuesWarning,
    )
    from safewriter.patching import install as install, uninstall as uninstall
    from safewriter.recording.report import WriterReport as WriterReport
    from safewriter.writer import SafeFileWriter as SafeFileWriter
    from safewriter.writer_v2 import create_file_writer as create_file_writer

__version__ = "0.1.0"

_HOMES = {
    "Audit": "safewriter.audit",
    "AuditReport": "safewriter.audit",
    "DistributionWarning": "safewriter.findings",
    "EventFileWarning": "safewriter.findings",
    "Finding": "safewriter.findings",
    "GraphWarning": "safewriter.findings",
    "InternalWarning": "safewriter.findings",
    "LandingWarning": "safewriter.findings",
    "LogdirWarning": "safewriter.findings",
    "SafeFileWriter": "safewriter.writer",
    "SafeWriterError": "safewriter.findings",
    "SafeWriterWarning": "safewriter.findings",
    "TagStats": "safewriter.checks.values",
    "ValuesWarning": "safewriter.findings",
    "WriterReport": "safewriter.recording.report",
    "audit_file": "safewriter.audit",
    "audit_logdir": "safewriter.audit",
    "create_file_writer": "safewriter.writer_v2",
    "install": "safewriter.patching",
    "uninstall": "safewriter.patching",
}

__all__ = list(_HOMES)


if not TYPE_CHECKING:  # a type checker knows the names from above, and reports a mistyped one

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'safewriter' has no attribute {name!r}")
        try:
            module = importlib.import_module(home)
        except ModuleNotFoundError as error:
            if error.name != "tensorflow":
                raise
            raise ImportError(
                f"safewriter.{name} needs TensorFlow, which is not installed here: pip install "
                "'safewriter[tensorflow]', or any other package that provides tensorflow. The audit of event files "
                "works without it.",
                name="tensorflow",
            ) from error
        value = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

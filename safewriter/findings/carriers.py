"""The warnings and errors that carry a finding to the user.

UserWarning
 └─ SafeWriterWarning
     ├─ LogdirWarning         SW1xx
     ├─ DistributionWarning   SW2xx
     ├─ GraphWarning          SW3xx
     ├─ ValuesWarning         SW4xx
     ├─ LandingWarning        SW5xx
     ├─ EventFileWarning      SW6xx
     └─ InternalWarning       SW9xx
Exception
 └─ SafeWriterError           and also the built-in that fits: PermissionError, ValueError, …
"""

from __future__ import annotations

import functools
from typing import Any, final

from safewriter.findings.finding import Finding


class SafeWriterWarning(UserWarning):
    """Something is lost or will be; ``finding`` says what.

    What it means: the run goes on, but TensorBoard won't show what the program meant to write.
    If that is intended: ``ignore=("SW402",)`` at the writer, or any warning filter on this class or a leaf of it.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.finding,)


@final
class LogdirWarning(SafeWriterWarning):
    """SW1xx: the log directory is not what the program thinks it is."""


@final
class DistributionWarning(SafeWriterWarning):
    """SW2xx: replicas, workers or writers get in each other's way."""


@final
class GraphWarning(SafeWriterWarning):
    """SW3xx: summary ops that never reached a writer."""


@final
class ValuesWarning(SafeWriterWarning):
    """SW4xx: tags, steps and values that TensorBoard won't show as meant."""


@final
class LandingWarning(SafeWriterWarning):
    """SW5xx: events that did not, or might not have, reached the disk."""


@final
class EventFileWarning(SafeWriterWarning):
    """SW6xx: an event file that is damaged or empty."""


@final
class InternalWarning(SafeWriterWarning):
    """SW9xx: a check of safewriter's own failed; the event still went its way."""


_BY_HUNDRED: dict[str, type[SafeWriterWarning]] = {
    "SW1": LogdirWarning,
    "SW2": DistributionWarning,
    "SW3": GraphWarning,
    "SW4": ValuesWarning,
    "SW5": LandingWarning,
    "SW6": EventFileWarning,
    "SW9": InternalWarning,
}


def warning_for(finding: Finding) -> SafeWriterWarning:
    """The warning, of the leaf class of its hundred, that carries this finding."""
    return _BY_HUNDRED[finding.code[:3]](finding)


class SafeWriterError(Exception):
    """A finding that was raised: the write can't work, or ``strict`` is on.

    An instance is also of the built-in class that fits (``PermissionError``, ``ValueError``, …),
    so that ``except`` clauses written for the stock writer catch it.

    Attributes:
        finding: What happened.
        errno: For operating-system errors, the number; otherwise absent.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding

    def __str__(self) -> str:
        return str(self.finding)

    def __reduce__(self) -> tuple[Any, ...]:
        return error_for, (self.finding,)


@functools.cache
def _error_class(builtin: Any) -> type[SafeWriterError]:
    name = f"SafeWriter{builtin.__name__}"
    return type(name, (SafeWriterError, builtin), {"__module__": "safewriter", "__doc__": SafeWriterError.__doc__})


def error_for(finding: Finding) -> SafeWriterError:
    """The exception that carries this finding and is of its built-in class too.

    For a finding whose ``data`` holds ``errno``, the class is the one that Python gives that number.
    """
    number = finding.data.get("errno")
    builtin = finding.raises
    if builtin is None and number is not None:
        builtin = type(OSError(number, ""))
    if builtin is None:
        return SafeWriterError(finding)
    error = _error_class(builtin)(finding)  # type: ignore[arg-type]  # mypy takes no class for hashable
    if isinstance(error, OSError):
        error.errno = number
        error.strerror = finding.message
        error.filename = finding.path
    return error


# Users see and filter these under the name they import them by.
for _public in (SafeWriterWarning, SafeWriterError, *_BY_HUNDRED.values()):
    _public.__module__ = "safewriter"

"""What one code of the catalogue is."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """How a finding of a code leaves safewriter."""

    ERROR = "error"  #: the write can't work: raised
    WARNING = "warning"  #: warned, and raised under ``strict``
    FINDING = "finding"  #: listed in a report, never warned


@dataclass(frozen=True)
class Symptom:
    """What is seen where a code is reported: its row of the documentation's start page.

    Attributes:
        sees: What TensorBoard or the terminal shows.
        means: What happened.
        fix: What to change, in one line.
        reports: Public reports of it, as ``owner/repository#number``.
    """

    sees: str
    means: str
    fix: str
    reports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Code:
    """One entry of the catalogue: the text behind ``safewriter explain``.

    Attributes:
        code: ``SW`` and three digits. Stable, never reused.
        name: The same in words, stable too: ``logdir-invalid``.
        kind: Raised, warned or listed.
        when: One sentence: the condition under which it is reported.
        symptom: What its user sees; None for one that nothing shows.
        why: What is lost, and why TensorFlow says nothing of it.
        fix: What to change.
        bad: A short program that provokes it.
        good: The same program, fixed: it stays silent.
        bad_tf2: The first for TF2, where that program looks different.
        good_tf2: The second for TF2.
    """

    code: str
    name: str
    kind: Kind
    when: str
    symptom: Symptom | None = None
    why: str = ""
    fix: str = ""
    bad: str = ""
    good: str = ""
    bad_tf2: str = ""
    good_tf2: str = ""

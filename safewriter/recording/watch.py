"""What a writer watches in its directory while it is open: other processes (SW203) and an earlier run (SW107)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from typing import Any

from safewriter.checks.distribution import Role, judge_directory
from safewriter.checks.earlier import EarlierJudge
from safewriter.findings import Finding
from safewriter.system.earlier import EarlierRun
from safewriter.system.neighbours import INTERVAL, Neighbours


class DirectoryWatch:
    """One writer's watch. Nothing is left in the directory for it.

    Args:
        directory: The log directory; of a remote one nothing is looked at.
        role: Who this process is.
        own_files: Returns the event files of this process's open writers, the new one's included.
        resume_step: The step from which the run goes on, or None.
    """

    def __init__(
        self,
        directory: str,
        role: Role,
        own_files: Callable[[], Collection[str]],
        resume_step: int | None = None,
    ) -> None:
        self._directory = directory
        self._role = role
        self._own_files = own_files
        self._neighbours = Neighbours(directory)
        self._earlier = EarlierJudge(directory, EarlierRun(directory, own_files()), resume_step)

    def look(self, *, at_most_every: float = 0.0) -> list[Finding]:
        """To be called when the writer has been created: SW203, where the evidence is there already."""
        found = self._neighbours.look(self._own_files(), at_most_every=at_most_every)
        return judge_directory(self._directory, found, self._role)

    def wrote(self, tag: str, step: int) -> list[Finding]:
        """To be called at the first write of each tag: SW107."""
        finding = self._earlier.observe(tag, step)
        return [] if finding is None else [finding]

    def flushed(self) -> list[Finding]:
        """To be called on flush: SW203, looked for every 10 seconds at most, and SW107 where it has come out since."""
        return self._earlier.settle() + self.look(at_most_every=INTERVAL)

    def closing(self) -> list[Finding]:
        """To be called before the writer is closed, by the user or at exit."""
        return self._earlier.settle() + self.look()


def whole_resume_step(resume_step: Any) -> int | None:
    """``resume_step`` as it was passed to a writer, as an ``int``.

    Raises:
        TypeError: It is no whole number.
        ValueError: It is negative.
    """
    if resume_step is None:
        return None
    try:
        step = operator.index(resume_step)
    except TypeError:
        raise TypeError(
            f"resume_step must be a whole number, the global step of the checkpoint, not {resume_step!r}."
        ) from None
    if step < 0:
        raise ValueError(f"resume_step is {step}: it must be the global step of the checkpoint, 0 or more.")
    return step


#: How often the purge marker, a ``SessionLog`` with status START, must stand in the file: TensorBoard's Python loader
#: takes a run's first for the start of it, and drops the earlier points from its step on at each further one
#: (``tensorboard/backend/event_processing/plugin_event_accumulator.py``, ``_CheckForRestartAndMaybePurge``).
#: Its default loader, in Rust, drops the overtaken points of a tag when the tag's steps go back, marker or not.
PURGE_MARKERS = 2

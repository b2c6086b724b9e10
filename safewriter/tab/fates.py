"""What becomes of each point of a curve in TensorBoard: pure functions of what is on disk and of what it holds."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safewriter.audit.points import Point

PATIENCE = 30.0  #: seconds that TensorBoard may stand still behind the disk before it counts as stopped
_ROUNDS = 3  # and as many of its reload intervals


class Fate(enum.Enum):
    """Why a point is shown, or not; the value is what the page calls it."""

    SHOWN = "shown"
    NOT_FINITE = "not finite"  #: NaN or infinite: a gap in the chart
    BEHIND_DAMAGE = "behind damage"  #: TensorBoard stops reading the file before it
    OVERTAKEN = "overtaken"  #: a later point has the same or an earlier step: TensorBoard took that for a restart
    SAMPLED_AWAY = "sampled away"  #: TensorBoard keeps a limited number of points of each curve
    NOT_LOADED = "not loaded"  #: TensorBoard has read nothing of this tag that is as new


@dataclass(frozen=True)
class Held:
    """A point that TensorBoard holds.

    Attributes:
        step: Its step.
        wall_time: In seconds since 1970.
    """

    step: int
    wall_time: float


def fates(points: Sequence[Point], held: Iterable[Held]) -> list[Fate]:
    """The fate of each point of one tag.

    Args:
        points: On disk, in the order in which TensorBoard reads them.
        held: What TensorBoard holds of the tag, not downsampled.

    Returns:
        As many fates, in the order of the points.
    """
    kept = Counter((each.step, round(each.wall_time, 4)) for each in held)
    newest = max((wall_time for _, wall_time in kept), default=-math.inf)
    lowest_later = math.inf
    found = []
    for point in reversed(points):
        key = (point.step, round(point.wall_time, 4))
        if point.behind_damage:
            fate = Fate.BEHIND_DAMAGE
        elif point.value is not None and not math.isfinite(point.value):
            fate = Fate.NOT_FINITE
            kept[key] -= 1
        elif kept[key] > 0:
            fate = Fate.SHOWN
            kept[key] -= 1
        elif lowest_later <= point.step:
            fate = Fate.OVERTAKEN
        elif point.wall_time > newest + 1e-4:
            fate = Fate.NOT_LOADED
        else:
            fate = Fate.SAMPLED_AWAY
        if not point.behind_damage:
            lowest_later = min(lowest_later, point.step)
        found.append(fate)
    return found[::-1]


@dataclass(frozen=True)
class Front:
    """How far one curve goes: its latest point.

    Attributes:
        step: The step.
        wall_time: In seconds since 1970.
    """

    step: int
    wall_time: float

    def leads(self, other: Front | None) -> bool:
        """Whether this is further: later by wall time, and at another step."""
        return other is None or (self.wall_time > other.wall_time + 1e-4 and self.step != other.step)


class StandstillJudge:
    """Says that TensorBoard stopped reading, once the disk has led and TensorBoard stood still for long enough.

    A run that is being written is always ahead of TensorBoard for a moment. So what counts is the time since which
    TensorBoard's front has not moved although the disk's was ahead of it.

    Args:
        reload_interval: TensorBoard's ``--reload_interval``, in seconds. At 0 it loads once, by its user's choice: then
            nothing is said.
    """

    def __init__(self, reload_interval: float) -> None:
        self._says = reload_interval > 0
        self.patience = max(PATIENCE, _ROUNDS * reload_interval)
        self._behind: dict[tuple[str, str], tuple[Front | None, float]] = {}

    def look(self, run: str, tag: str, disk: Front, held: Front | None, now: float) -> bool:
        """One look at one curve.

        Args:
            run: The run's name.
            tag: The tag.
            disk: The latest point on disk that TensorBoard can get at.
            held: The latest that it holds; None for none.
            now: The time of the look, in seconds, by a clock that never goes back.

        Returns:
            Whether TensorBoard has stopped reading this curve.
        """
        key = (run, tag)
        if not self._says or not disk.leads(held):
            self._behind.pop(key, None)
            return False
        known = self._behind.get(key)
        if known is None or known[0] != held:
            self._behind[key] = (held, now)
            return False
        return now - known[1] > self.patience

"""What becomes of each point of a curve in TensorBoard: pure functions of what is on disk and of what it holds."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from safewriter.audit.points import Point

PATIENCE = 30.0  #: seconds that TensorBoard may stand still behind the disk before it counts as stopped
_ROUNDS = 3  # and as many of its reload intervals
_SLOWEST = 2e6  # bytes a second that TensorBoard reads at least


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
    """A point that TensorBoard holds, or the latest of a curve on disk that it could hold.

    Attributes:
        step: Its step.
        wall_time: In seconds since 1970.
    """

    step: int
    wall_time: float

    def leads(self, other: Held | None) -> bool:
        """Whether this is further: later by wall time, and at another step."""
        return other is None or (self.wall_time > other.wall_time + 1e-4 and self.step != other.step)


def fates(points: Sequence[Point], held: Iterable[Held] | None) -> list[Fate]:
    """The fate of each point of one tag.

    Args:
        points: On disk, in the order in which TensorBoard reads them.
        held: What TensorBoard holds of the tag, not downsampled; None where it does not say.

    Returns:
        As many fates, in the order of the points.
    """
    if held is None:
        return [
            Fate.NOT_FINITE if each.value is not None and not math.isfinite(each.value) else Fate.SHOWN
            for each in points
        ]
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


class StandstillJudge:
    """Says that TensorBoard stopped reading, once the disk has led and TensorBoard stood still for long enough.

    A run that is being written is always ahead of TensorBoard for a moment. So what counts is the time since which
    TensorBoard's front has not moved although the disk's was ahead of it. TensorBoard reads one run after the other:
    while it catches up with others, and until it can have read everything once, a run that it has not come to is no
    run that it stopped reading.

    Args:
        reload_interval: TensorBoard's ``--reload_interval``, in seconds. At 0 it loads once, by its user's choice: then
            nothing is said.
    """

    def __init__(self, reload_interval: float) -> None:
        self._says = reload_interval > 0
        self.patience = max(PATIENCE, _ROUNDS * reload_interval)
        self._begun: float | None = None
        self._before: Mapping[str, Mapping[str, Held]] = {}
        self._behind: dict[tuple[str, str], tuple[Held | None, float]] = {}

    def look(
        self, disk: Mapping[str, Mapping[str, Held]], held: Mapping[str, Mapping[str, Held]], size: int, now: float
    ) -> dict[str, list[str]]:
        """One look at all curves.

        Args:
            disk: By run and tag, the latest point on disk that TensorBoard can get at.
            held: The latest that it holds.
            size: Bytes of all event files.
            now: The time of the look, in seconds, by a clock that never goes back.

        Returns:
            By run, the tags that TensorBoard has stopped reading.
        """
        if self._begun is None:
            self._begun = now
        if self._catches_up(disk, held):
            self._behind.clear()
        self._before = held
        stopped: dict[str, list[str]] = {}
        known, self._behind = self._behind, {}
        if not self._says or (held and disk.keys().isdisjoint(held)):  # it calls the runs by other names than we do
            return stopped
        for run, fronts in disk.items():
            mine = held.get(run, {})
            for tag, front in fronts.items():
                if (mine and tag not in mine) or not front.leads(mine.get(tag)):  # of another kind, to TensorBoard
                    continue
                stood, since = known.get((run, tag), (None, now))
                if stood != mine.get(tag):
                    since = now
                self._behind[run, tag] = (mine.get(tag), since)
                if now - since > self.patience and now - self._begun > size / _SLOWEST:
                    stopped.setdefault(run, []).append(tag)
        return stopped

    def _catches_up(self, disk: Mapping[str, Mapping[str, Held]], held: Mapping[str, Mapping[str, Held]]) -> bool:
        """Whether TensorBoard came to a new run since the last look, or moved in one that it is still far behind in."""
        for run, fronts in held.items():
            before = self._before.get(run)
            if before is None:
                return True
            for tag, front in fronts.items():
                end = disk.get(run, {}).get(tag)
                if end is not None and before.get(tag) != front and end.wall_time - front.wall_time > self.patience:
                    return True
        return False

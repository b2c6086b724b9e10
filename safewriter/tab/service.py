"""The audit behind the tab: a thread that reads what is on disk, and compares it with what TensorBoard holds."""

from __future__ import annotations

import itertools
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from safewriter.audit import Audit, AuditReport, RunReport, find_event_files, series
from safewriter.findings.wording import plural
from safewriter.tab.emptiness import reasons
from safewriter.tab.fates import Fate, Held, StandstillJudge, fates

SCHEMA = 1  #: of the answers
AT_ONCE = 2 << 30  #: bytes of event files up to which the audit begins before anybody opens the tab
_PAUSE = 2.0  # seconds between two rounds that requests ask for
_TAGS = 200  # of a run that are listed
_POINTS = 5000  # of a curve that are sent
_DAMAGE = frozenset(("SW601", "SW602", "SW605"))
_RESTART = (
    "Restart TensorBoard. If it happens again, start it without --load_fast=false, or write a clean copy of the file: "
    "safewriter repair."
)


class BadRequestError(ValueError):
    """A parameter of a request is wrong; the message is a sentence for its sender."""


class Service:
    """What the tab knows. Rounds are made when somebody asks, in a thread of their own.

    Args:
        context: TensorBoard's ``TBContext``.
        clock: Never goes back; in seconds.
    """

    def __init__(self, context: Any, clock: Callable[[], float] = time.monotonic) -> None:
        flags = context.flags
        self._provider = context.data_provider
        self._clock = clock
        self._roots = _roots(flags, context.logdir)
        self._audit = Audit([path for path, _, _ in self._roots], missing_ok=True)
        self._standstill = StandstillJudge(float(getattr(flags, "reload_interval", 5) or 0))
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun = self._done = False
        self._last_round = -math.inf
        self._progress = (0, 0)
        self._error = ""
        self._version = 0
        self._rows: dict[str, dict[str, Any]] = {}
        self._runs: dict[str, RunReport] = {}
        self._cached: dict[str, tuple[RunReport, dict[str, Any]]] = {}
        #: By run, where its curves ended when its points that TensorBoard holds were counted, and how many these were.
        self._counted: dict[str, tuple[dict[str, Held], int]] = {}

    # What TensorBoard and the page ask.

    def listed(self) -> int:
        """TensorBoard lists its plugins: begins the audit where there is little to read. Runs with findings so far."""
        if not self._begun:
            self._ask(only_if_small=True)
        elif self._done and self._clock() - self._last_round > _PAUSE:
            self._wake.set()
        return sum(row["verdict"] != "sound" for row in list(self._rows.values()))

    def audit(self, since: int) -> dict[str, Any]:
        """The runs, or that nothing has changed since a version."""
        self._ask()
        with self._lock:
            read, known = self._progress
            answer: dict[str, Any] = {
                "schema": SCHEMA,
                "version": self._version,
                "state": "done" if self._done else "reading",
                "progress": {"read": read, "known": max(read, known)},
                "error": self._error,
            }
            if since == self._version:
                return answer
            answer["runs"] = sorted(self._rows.values(), key=lambda row: row["run"])
        problems = {problem.path: problem.error for problem in self._audit.report().problems}
        paths = [
            {
                "path": path,
                "name": name or "",
                "problem": problems.get(path, ""),
                "reasons": [] if self._rows or not self._done else list(reasons(path, given)),
            }
            for path, name, given in self._roots
        ]
        answer["roots"] = {"working_directory": os.getcwd(), "paths": paths}
        return answer

    def series(self, run: str, tag: str) -> dict[str, Any]:
        """The points of a curve with their fates.

        Raises:
            BadRequestError: There is no such run or tag.
        """
        report = self._runs.get(run)
        if report is None:
            raise BadRequestError("There is no run of that name in the log directory.")
        if tag not in report.tags:
            raise BadRequestError("The run has no tag of that name.")
        points = [point for point in series(report, tag) if point.kind == "scalar"]
        read = self._read_scalars(run, tag)
        held = None if read is None else read.get(tag, ())
        found = fates(points, held)
        counts = {fate.value: found.count(fate) for fate in Fate}
        kept = _thinned(found)
        return {
            "schema": SCHEMA,
            "run": run,
            "tag": tag,
            "on_disk": len(points),
            "held": None if held is None else len(held),
            "counts": counts,
            "sent": len(kept),
            "points": [[points[i].step, _number(points[i].value), found[i].value, points[i].wall_time] for i in kept],
        }

    # Rounds.

    def _ask(self, *, only_if_small: bool = False) -> None:
        with self._lock:
            if self._thread is None or (not only_if_small and not self._begun and not self._thread.is_alive()):
                self._thread = threading.Thread(
                    target=self._work, args=(only_if_small,), daemon=True, name="safewriter tab"
                )
                self._thread.start()
        if self._clock() - self._last_round > _PAUSE:
            self._wake.set()

    def _work(self, only_if_small: bool) -> None:
        try:
            if only_if_small and not self._is_small():
                return
            self._begun = True
            while True:
                self._wake.clear()
                self.round()
                self._wake.wait()
        except Exception as error:  # noqa: BLE001 - TensorBoard lives on; the page says what happened
            with self._lock:
                self._error = f"The audit failed: {type(error).__name__}: {error}"
                self._version += 1
                self._done = True

    def _is_small(self) -> bool:
        total = 0
        for path, _, _ in self._roots:
            if "://" in path:
                return False
            with suppress(OSError):
                for source in find_event_files(path):
                    total += source.bytes
                    if total > AT_ONCE:
                        return False
        return True

    def round(self) -> None:
        """Reads what was appended, looks at what TensorBoard holds, and publishes both."""
        shown = self._clock()

        def progress(read: int, known: int) -> None:
            nonlocal shown
            self._progress = (read, known)
            if self._clock() - shown > 0.5:
                self._publish(self._audit.report())
                shown = self._clock()

        report = self._audit.update(progress)
        self._publish(report)
        if self._count_held():
            self._publish(report)
        self._last_round = self._clock()
        with self._lock:
            if not self._done:
                self._done = True
                self._version += 1

    def _publish(self, report: AuditReport) -> None:
        runs = {self._name(run.path): run for run in report.runs}
        held = self._fronts()
        stopped: dict[str, list[str]] = {}
        if held is not None:
            disk = {name: _ends(run) for name, run in runs.items()}
            stopped = self._standstill.look(disk, held, sum(run.bytes for run in report.runs), self._clock())
        rows = {
            name: self._row(name, run, None if held is None else held.get(name, {}), stopped.get(name, []))
            for name, run in runs.items()
        }
        with self._lock:
            if rows != self._rows:
                self._version += 1
            self._rows, self._runs = rows, runs

    def _row(self, name: str, run: RunReport, held: Mapping[str, Held] | None, stopped: list[str]) -> dict[str, Any]:
        known = self._cached.get(name)
        if known is None or known[0] is not run:
            known = self._cached[name] = (run, _facts(name, run))
        row = dict(known[1])
        row["held_step"] = None if held is None else max((front.step for front in held.values()), default=None)
        row["held_points"] = self._counted[name][1] if name in self._counted else None
        if stopped and not row["damaged"]:  # where a record is damaged it stopped for good reason, which is a finding
            row["verdict"] = "not shown"
            row["findings"] = [_stopped(stopped, _ends(run), held or {}), *row["findings"]]
            row["tags"] = [{**tag, "affected": tag["affected"] or tag["tag"] in stopped} for tag in row["tags"]]
        return row

    # What TensorBoard holds.

    def _fronts(self) -> dict[str, dict[str, Held]] | None:
        """By run and tag, the latest point that it holds; None where it does not say."""
        try:
            listed = self._provider.list_scalars(_context(), experiment_id="", plugin_name="scalars")
            return {
                run: {tag: Held(series.max_step, series.max_wall_time) for tag, series in tags.items()}
                for run, tags in listed.items()
            }
        except Exception:  # noqa: BLE001 - the table goes without that column
            return None

    def _count_held(self) -> bool:
        """Counts the points of runs that TensorBoard has news of; whether there were any. Slow, so it comes last."""
        counted = dict(self._counted)
        for name, fronts in (self._fronts() or {}).items():
            if name in self._runs and counted.get(name, (None, 0))[0] != fronts:
                held = self._read_scalars(name, None)
                if held is not None:
                    counted[name] = (fronts, sum(len(points) for points in held.values()))
        changed, self._counted = counted != self._counted, counted
        return changed

    def _read_scalars(self, run: str, tag: str | None) -> Mapping[str, Sequence[Any]] | None:
        """By tag, all points that TensorBoard holds of a run, or those of one tag; None where it does not say."""
        try:
            from tensorboard.data import provider

            chosen = provider.RunTagFilter(runs=[run], tags=None if tag is None else [tag])
            found: Mapping[str, Mapping[str, Sequence[Any]]] = self._provider.read_scalars(
                _context(), experiment_id="", plugin_name="scalars", downsample=1 << 30, run_tag_filter=chosen
            )
        except Exception:  # noqa: BLE001 - the page goes without
            return None
        return found.get(run, {})

    # Names and roots.

    def _name(self, path: str) -> str:
        """A run's name as TensorBoard has it: relative to its root, after the root's own name if it has one."""
        place = _plain(path)
        for root, name, _ in sorted(self._roots, key=lambda each: -len(each[0])):
            top = _plain(root)
            if place == top or place.startswith(top + "/"):
                relative = place[len(top) :].strip("/") or "."
                return f"{name}/{relative}" if name else relative
        return path


def _roots(flags: Any, logdir: str | None) -> list[tuple[str, str | None, str]]:
    """Each log directory: its path, its name in TensorBoard if it has one, and what was passed."""
    spec = getattr(flags, "logdir_spec", "") or ""
    if not spec:
        given = getattr(flags, "logdir", None) or logdir or ""
        return [(_absolute(given), None, given)]
    found = []
    for part in spec.split(","):
        named = ":" in part and "://" not in part and not part.startswith("/") and not os.path.splitdrive(part)[0]
        name, _, path = part.partition(":") if named else ("", "", part)
        found.append((_absolute(path), name or None, path))
    return found


def _absolute(path: str) -> str:
    return path.rstrip("/") if "://" in path else os.path.realpath(os.path.expanduser(path))


def _plain(path: str) -> str:
    """A path or a URL in one form: fsspec's file systems differ in the slashes that they give back."""
    scheme, mark, rest = path.rpartition("://")
    return scheme + mark + rest.strip("/") if mark else path.replace(os.sep, "/").rstrip("/")


def _context() -> Any:
    from tensorboard import context

    return context.RequestContext()


def _ends(run: RunReport) -> dict[str, Held]:
    """By tag, where the scalar curves of a run end on disk."""
    return {tag: Held(facts.last_step, facts.last_time) for tag, facts in run.tags.items() if facts.kind == "scalar"}


def _facts(name: str, run: RunReport) -> dict[str, Any]:
    """What the disk alone says of a run."""
    findings = [
        {
            "code": finding.code,
            "name": finding.name,
            "message": _text(finding.message),
            "hint": _text(finding.hint),
            "file": _text(os.path.basename(finding.path or "")),
        }
        for finding in run.findings
    ]
    damaged = any(finding["code"] in _DAMAGE for finding in findings)
    scalars = {tag: facts for tag, facts in run.tags.items() if facts.kind == "scalar"}
    several = len(run.files) > 1
    tags = [
        {
            "tag": _text(tag),
            "count": facts.count,
            "affected": bool(facts.not_finite) or damaged or several or facts.last_step < facts.highest_step,
        }
        for tag, facts in scalars.items()
    ]
    tags.sort(key=lambda each: not each["affected"])
    return {
        "run": _text(name),
        "verdict": "damaged" if damaged else "look" if findings else "sound",
        "damaged": damaged,
        "findings": findings,
        "events": run.events,
        "bytes": run.bytes,
        "files": len(run.files),
        "disk_points": sum(facts.count for facts in scalars.values()),
        "disk_step": max((facts.highest_step for facts in scalars.values()), default=None),
        "last_time": run.last_time,
        "tags": tags[:_TAGS],
        "more_tags": max(0, len(tags) - _TAGS),
    }


def _stopped(tags: list[str], disk: Mapping[str, Held], held: Mapping[str, Held]) -> dict[str, str]:
    tag = tags[0]
    front = held.get(tag)
    at = f"stands at step {front.step:,}" if front is not None else "has nothing"
    more = f", and so for {plural(len(tags) - 1, 'other tag')}" if len(tags) > 1 else ""
    return {
        "code": "",
        "name": "TensorBoard stopped reading",
        "message": f"The disk has {_text(tag)!r} up to step {disk[tag].step:,}; TensorBoard {at}{more}, and has not "
        "moved although it had time to. It gave up on the file, most likely at a record that was not whole then.",
        "hint": _RESTART,
        "file": "",
    }


def _thinned(found: list[Fate]) -> list[int]:
    """The places of the points that are sent: those that are not shown first, and the others evenly."""
    if len(found) <= _POINTS:
        return list(range(len(found)))
    odd = [i for i, fate in enumerate(found) if fate is not Fate.SHOWN]
    shown = [i for i, fate in enumerate(found) if fate is Fate.SHOWN]
    odd = odd[:: math.ceil(len(odd) / (_POINTS // 2))] if odd else []
    shown = shown[:: math.ceil(len(shown) / (_POINTS - len(odd)))] if shown else []
    return sorted(itertools.chain(odd, shown))


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(text: str) -> str:
    """Text that JSON can hold, also where a file name is no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()

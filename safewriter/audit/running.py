"""Many files: find them, read them here or in several processes, and again where they have changed."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from safewriter.audit.reading import TICK, FileAuditor
from safewriter.audit.report import AuditReport, Problem, RunReport, run_of
from safewriter.audit.walking import Source, Stamp, find_event_files, is_remote
from safewriter.checks.file import FileFacts
from safewriter.system.holders import files_held

if TYPE_CHECKING:
    from concurrent.futures import Future

_END_SECS = 5.0  # that the pool's own thread may take when its processes are gone
_TASK_BYTES = 8 << 20  #: small runs are handed to a process together, about this much at a time
_TASK_FILES = 64
_FOUND_FILES = 256  # files that are found between two reports of the progress
_LIVE = 3600.0  # seconds: a file that was changed no later is begun anew, should it ever change again


@dataclass(slots=True)
class _Known:
    """What is kept of a file from one round to the next."""

    facts: FileFacts
    stamp: Any  # while the file still has it, the facts hold; None: they may not
    auditor: FileAuditor | None  # to read on with
    round: int


class Audit:
    """An audit of log directories that goes on where it stopped.

    Each ``update`` reads what was appended since the last one, and its report is that of a fresh audit: a file that
    was replaced, became shorter, or holds damage that what follows may explain is read from its beginning. So is one
    whose bytes changed while its size did not. Of a file that also grew meanwhile, the first and the last 128 KiB of
    what was read and the ends of each damaged place are compared. No buffer is kept between two rounds.

    One thread at a time may call ``update``; any thread may call ``report``.

    Args:
        logdirs: A path (str, bytes or PathLike) of a directory or a single file, a URL, or several of them.
        jobs: Processes that read in the first round; 1 reads in this one.
        points: How many of each scalar's values to keep; see ``audit_file``.
        missing_ok: Report log directories that can't be looked at as ``AuditReport.problems``; else raise. One that
            vanishes later is reported in any case.

    Raises:
        FileNotFoundError: A log directory does not exist.
        ImportError: One is a URL, and fsspec, or its plug-in for it, is missing.
    """

    def __init__(self, logdirs: Any, jobs: int = 1, points: int = 0, missing_ok: bool = False) -> None:
        several = [logdirs] if isinstance(logdirs, (str, bytes, os.PathLike)) else logdirs
        self._roots = [os.fsdecode(logdir) for logdir in several]
        self._jobs = jobs
        self._points = points
        self._known: dict[str, _Known] = {}
        self._runs: dict[str, RunReport] = {}
        self._empty: list[str] = []
        self._problems: list[Problem] = []
        self._report = AuditReport(interrupted=True)
        self._round = 0
        self._complete = False
        self._read = self._bytes = 0
        self._progress: Callable[[int, int], None] | None = None
        # Looked for here, so that a wrong path is an error before anything is read.
        self._found = [] if missing_ok else [self._find(root) for root in self._roots]

    def update(self, progress: Callable[[int, int], None] | None = None, final: bool = False) -> AuditReport:
        """Reads what is new, and returns the report on all. Where nothing is new, it is the same object as before.

        Args:
            progress: Called with the bytes read in this round and the bytes known to be read, after each file and now
                and then within. What it raises ends the round; ``report`` then holds what was read.
            final: No other round follows: what it would take is not kept.
        """
        self._progress = progress
        self._round += 1
        self._complete = False
        self._read = self._bytes = 0
        sources: Iterable[Source] = self._walk()
        if progress is not None:  # all are found before the first is read
            sources = self._counted(sources)
        if self._jobs > 1 and not self._known:
            self._read_in_processes(sources)
        else:
            self._read_here(sources, final)
        for path in [path for path, known in self._known.items() if known.round != self._round]:
            del self._known[path]
        report = self._build(interrupted=False)
        if report != self._report:
            self._report = report
        self._complete = True
        return self._report

    def report(self) -> AuditReport:
        """What is known now. While a round is under way, or was broken off, ``interrupted`` is true."""
        return self._report if self._complete else self._build(interrupted=True)

    def _build(self, interrupted: bool) -> AuditReport:
        known = self._known.copy()  # at once, while another thread may be adding to it
        report = AuditReport(
            tuple(known[path].facts for path in sorted(known)),
            tuple(sorted(set(self._empty))),
            tuple(sorted(set(self._problems))),
            interrupted,
        )
        # The findings of a run are worked out once for as long as it does not change.
        runs = [self._runs[run.path] if self._runs.get(run.path) == run else run for run in report.runs]
        self._runs = {run.path: run for run in runs}
        vars(report)["runs"] = tuple(runs)
        return report

    # What there is

    def _find(self, root: str) -> Iterator[Source]:
        return find_event_files(root, lambda problem: self._problems.append(problem))

    def _walk(self) -> Iterator[Source]:
        found, self._found = self._found, []
        self._empty, self._problems = [], []
        for index, root in enumerate(self._roots):
            nothing, problems = True, len(self._problems)
            try:
                for source in found[index] if found else self._find(root):
                    nothing = False
                    yield source
            except (OSError, ImportError, ValueError) as error:
                strerror, number = getattr(error, "strerror", None), getattr(error, "errno", None)
                self._problems.append(Problem(root, strerror or str(error), number or 0))
            if nothing and problems == len(self._problems):
                self._empty.append(root)

    def _counted(self, sources: Iterable[Source]) -> list[Source]:
        found = []
        for source in sources:
            found.append(source)
            self._bytes += source.bytes if self._is_new(source) else 0
            if len(found) % _FOUND_FILES == 1:
                self._show_progress()
        return found

    def _is_new(self, source: Source) -> bool:
        """Whether the facts that are known of a file, if any, may not be those of the file as it is now."""
        known = self._known.get(source.path)
        return known is None or known.facts.error is not None or known.stamp is None or known.stamp != source.stamp

    def _show_progress(self, offset: int = 0) -> None:
        if self._progress is not None:
            self._progress(self._read + offset, self._bytes)

    # Reading

    def _keep(self, facts: FileFacts, stamp: Any, auditor: FileAuditor | None) -> None:
        known = self._known.get(facts.path)
        if known is not None and known.facts == facts:
            facts = known.facts  # the same object, so that the reports of two rounds are soon compared
        self._known[facts.path] = _Known(facts, stamp, auditor, self._round)

    def _read_here(self, sources: Iterable[Source], final: bool) -> None:
        held = functools.cache(files_held)
        undecided: list[tuple[Source, FileAuditor]] = []
        for source in sources:
            known = self._known.get(source.path)
            if known is not None and known.round == self._round:  # in two of the log directories
                continue
            if known is not None and not self._is_new(source):
                known.round = self._round
                facts = known.facts
                ends = not facts.torn and facts.summaries  # else it matters whether its writer is still there
                written = not ends and isinstance(known.stamp, Stamp) and known.stamp[:2] in held()
                if written != facts.being_written:
                    known.facts = replace(facts, being_written=written)
                continue
            auditor = known.auditor if known is not None else None
            if auditor is None:
                auditor = FileAuditor(source.path, self._points, not final and not is_remote(source.path))
            try:
                for offset in auditor.read():
                    self._show_progress(offset)
            except BaseException:
                self._keep(auditor.facts(), None, None)
                raise
            if auditor.undecided:
                undecided.append((source, auditor))
                self._keep(auditor.facts(), None, None)
            else:
                self._settled(source, auditor, auditor.facts(), final)
            self._read += source.bytes
            self._show_progress()
        for source, auditor in undecided:
            self._settled(source, auditor, auditor.settle(held), final)

    def _settled(self, source: Source, auditor: FileAuditor, facts: FileFacts, final: bool) -> None:
        if final:
            self._keep(facts, None, None)
        elif is_remote(source.path):
            self._keep(facts, source.stamp, None)
        else:
            live = auditor.stamp is not None and auditor.stamp.age < _LIVE
            self._keep(facts, auditor.stamp if auditor.sure else None, auditor if live else None)

    # In several processes

    def _read_in_processes(self, sources: Iterable[Source]) -> None:
        with closing(_parts(sources, self._jobs, self._points)) as parts:
            for task, part in parts:
                stamps = {source.path: source.stamp for source in task}
                for facts in part.files:
                    stamp = stamps[facts.path]
                    sure = not isinstance(stamp, Stamp) or stamp.age > TICK
                    self._keep(facts, stamp if sure else None, None)
                self._read += sum(source.bytes for source in task)
                self._show_progress()


def _parts(
    sources: Iterable[Source], jobs: int, points: int
) -> Generator[tuple[list[Source], AuditReport], None, None]:
    """Groups of files, each with its report, as the processes finish them. Closed early, it ends them."""
    import multiprocessing  # not at the top: an audit without them starts sooner
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

    # A fresh interpreter each: a fork would copy the threads' locks of whoever calls us.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_ignore_interrupt)
    waiting: dict[Future[AuditReport], list[Source]] = {}
    tasks = _tasks(sources)
    try:
        while True:
            task = next(tasks, None)
            if task is not None:
                with _interrupts_held():
                    waiting[pool.submit(audit_files, [source.path for source in task], points)] = task
                if len(waiting) < 4 * jobs:
                    continue
            elif not waiting:
                break
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    except BaseException:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        manager = getattr(pool, "_executor_manager_thread", None)
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        if manager is not None:  # in Python 3.10 its end and that of the interpreter race for one pipe
            manager.join(_END_SECS)
        raise
    pool.shutdown()


def _tasks(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Whole runs, several small ones together: a process is handed no run in parts."""
    task: list[Source] = []
    size = 0
    run = None
    for source in sources:
        here = run_of(source.path)
        if task and here != run and (size >= _TASK_BYTES or len(task) >= _TASK_FILES):
            yield task
            task, size = [], 0
        run = here
        task.append(source)
        size += source.bytes
    if task:
        yield task


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits. A process that is begun meanwhile never sees one, not even while it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupt() -> None:
    # Ctrl-C reaches every process of the terminal; the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def audit_file(path: Any, points: int = 0) -> AuditReport:
    """Audits one event file.

    Pure, and what it returns pickles: run it on as many machines as there are, and join the reports with
    ``AuditReport.merge``.

    Args:
        path: A path (str, bytes or PathLike), or a URL that fsspec understands.
        points: How many of each scalar's values to keep, at most about twice, in ``TagFacts.points``.

    Returns:
        The report. A file that can't be read is a finding in it.

    Raises:
        ImportError: For a URL: fsspec, or its plug-in for this kind of URL, is missing.
    """
    return audit_files([os.fsdecode(path)], points)


def audit_files(paths: Iterable[str], points: int = 0) -> AuditReport:
    """Audits several files; what can't be read is a finding."""
    audit = Audit((), points=points)
    audit._read_here(map(Source, paths), final=True)
    return audit._build(interrupted=False)


def audit_logdir(logdir: Any, *, jobs: int = 1, points: int = 0) -> AuditReport:
    """Audits the event files in a directory and below, as ``safewriter audit`` does.

    Args:
        logdir: A path (str, bytes or PathLike) of a directory or of one file, or a URL that fsspec understands.
        jobs: Processes that read. With more than 1, call it below ``if __name__ == "__main__":``, as all code that
            starts processes.
        points: How many of each scalar's values to keep; see ``audit_file``.

    Raises:
        FileNotFoundError: There is no such directory.
        ImportError: It is a URL, and fsspec, or its plug-in for it, is missing.
    """
    return Audit(logdir, jobs, points).update(final=True)

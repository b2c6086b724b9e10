"""Many files: find them, read them here or in several processes, join what was found."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from safewriter.audit.reading import FileAuditor, audit_file
from safewriter.audit.report import AuditReport, Problem, run_of
from safewriter.audit.walking import Source, find_event_files

if TYPE_CHECKING:
    from concurrent.futures import Future

_TASK_BYTES = 8 << 20  #: small runs are handed to a process in heaps of about this size
_TASK_FILES = 64
_TOLD_FILES = 256  # files that are found between two tellings of the progress


class Audit:
    """An audit of one or more log directories, which can be broken off and still tells what it found.

    Args:
        logdirs: Paths (str, bytes or PathLike) of directories or single files, or URLs.
        jobs: Processes that read; 1 reads in this one.
        points: How many of each scalar's values to keep; see ``audit_file``.

    Raises:
        FileNotFoundError: A log directory does not exist.
        ImportError: One is a URL, and fsspec, or its plug-in for it, is missing.
    """

    def __init__(self, logdirs: Iterable[Any], jobs: int = 1, points: int = 0) -> None:
        self._jobs = jobs
        self._points = points
        self._progress: Callable[[int, int], None] | None = None
        self._parts: list[AuditReport] = []
        self._current: FileAuditor | None = None
        self._read = 0
        self._known = 0
        self._finished = False
        self._logdirs = [os.fsdecode(logdir) for logdir in logdirs]
        # Looked for here, so that a wrong path is told before anything is read.
        self._found = [(logdir, find_event_files(logdir, self._problem)) for logdir in self._logdirs]

    def run(self, progress: Callable[[int, int], None] | None = None) -> AuditReport:
        """Reads all. Interrupted or not, ``report`` then tells what was read.

        Args:
            progress: Called with the bytes read and the bytes known to be there, now and then.
        """
        self._progress = progress
        if self._jobs > 1:
            self._run_in_processes()
        else:
            self._run_here()
        self._finished = True
        return self.report()

    def report(self) -> AuditReport:
        """What was found so far."""
        current = [] if self._current is None else [AuditReport(files=(self._current.facts(),))]
        return AuditReport(interrupted=not self._finished).merge(*self._parts, *current)

    def _problem(self, problem: Problem) -> None:
        self._parts.append(AuditReport(problems=(problem,)))

    def _sources(self) -> Iterator[Source]:
        for logdir, sources in self._found:
            nothing = True
            problems = len(self._parts)
            for source in sources:
                nothing = False
                yield source
            if nothing and problems == len(self._parts):
                self._parts.append(AuditReport(empty=(logdir,)))

    def _run_here(self) -> None:
        for source in self._measured():
            self._current = FileAuditor(source.path, self._points, self._tell_within)
            facts = self._current.run()
            self._current = None
            self._parts.append(AuditReport(files=(facts,)))
            self._read += source.bytes
            self._tell()

    def _measured(self) -> Iterable[Source]:
        """The files; where somebody wants to see the progress, all are found before the first is read."""
        if self._progress is None:
            return self._sources()
        found = []
        for source in self._sources():
            found.append(source)
            self._known += source.bytes
            if len(found) % _TOLD_FILES == 1:
                self._tell()
        return found

    def _tell_within(self, offset: int) -> None:
        if self._progress is not None:
            self._progress(self._read + offset, self._known)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._read, self._known)

    def _run_in_processes(self) -> None:
        import multiprocessing  # not at the top: an audit without them starts sooner
        from concurrent.futures import ProcessPoolExecutor

        # A fresh interpreter each: a fork would copy the threads' locks of whoever calls us.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_ignore_interrupt)
        waiting: set[Future[AuditReport]] = set()
        try:
            for task in _tasks(self._measured()):
                size = sum(source.bytes for source in task)
                with _interrupts_held():
                    future = pool.submit(_audit_files, [source.path for source in task], self._points)
                future.add_done_callback(lambda _, size=size: self._count(size))  # type: ignore[misc]
                waiting.add(future)
                if len(waiting) >= 4 * self._jobs:
                    waiting = self._collect(waiting)
            while waiting:
                waiting = self._collect(waiting)
        except BaseException:
            processes = list((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            raise
        pool.shutdown()

    def _count(self, size: int) -> None:
        self._read += size
        self._tell()

    def _collect(self, waiting: set[Future[AuditReport]]) -> set[Future[AuditReport]]:
        from concurrent.futures import FIRST_COMPLETED, wait

        done, pending = wait(waiting, return_when=FIRST_COMPLETED)
        self._parts.extend(future.result() for future in done)
        return pending


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


def _audit_files(paths: list[str], points: int) -> AuditReport:
    return AuditReport().merge(*(audit_file(path, points) for path in paths))


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
    return Audit([logdir], jobs, points).run()

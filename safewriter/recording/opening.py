"""From what a constructor is given to an event writer that can be written to, or an error that says why not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event, SessionLog

from safewriter.checks.distribution import Role, StrategyFacts, judge_creation
from safewriter.checks.logdir import (
    judge_failure,
    judge_free_space,
    judge_given,
    judge_literal,
    judge_scheme,
    scheme_of,
)
from safewriter.facts.strategy import strategy_facts
from safewriter.findings import Desk, Finding, Policy, error_for, guarded, users_place
from safewriter.recording import gfile, scope
from safewriter.recording.event_writer import SafeEventFileWriter, SafeSessionEventWriter, event_file_writer_class
from safewriter.recording.files import EventFiles, try_out
from safewriter.recording.landing import Landing
from safewriter.recording.ledger import Ledger
from safewriter.recording.queued import Queueing
from safewriter.recording.resource import new_token
from safewriter.recording.watch import PURGE_MARKERS, DirectoryWatch, whole_resume_step
from safewriter.system.logdir import free_bytes, obstacle


def locate(logdir: Any, desk: Desk) -> tuple[str, str]:
    """The log directory as text, and where it is: an absolute path or a URL.

    Raises:
        SafeWriterError: SW101, SW105; under ``strict`` SW104.
    """
    desk.report_all(guarded(desk, "log directory", lambda: judge_given(logdir)))
    text = os.fsdecode(logdir)
    if scheme_of(text):
        registered = frozenset(tf.io.gfile.get_registered_schemes())
        desk.report_all(guarded(desk, "log directory", lambda: judge_scheme(text, registered)))
        return text, text
    desk.report_all(guarded(desk, "log directory", lambda: judge_literal(text)))
    return text, os.path.abspath(text.removeprefix("file://"))


def free_space(directory: str) -> list[Finding]:
    """SW106."""
    free = None if scheme_of(directory) else free_bytes(directory)
    return [] if free is None else judge_free_space(directory, free)


def cannot_create(directory: str, error: OSError, desk: Desk) -> BaseException:
    """The exception for a file that can't be created: SW102 or SW103."""
    with desk.guard("log directory"):
        return error_for(judge_failure(directory, error, None if scheme_of(directory) else obstacle(directory)))
    return error


class Plan:
    """What is settled of a writer before it has a file, from what its constructor was given.

    Attributes:
        text: The log directory as text.
        directory: Where it is: an absolute path or a URL.
        remote: The latter.
        role: Who this process is.

    Raises:
        SafeWriterError: SW101, SW105; under ``strict`` SW104, and what ``judge`` says of the creating line.
    """

    def __init__(
        self,
        logdir: Any,
        strict: bool,
        ignore: str | Iterable[str],
        resume_step: int | None,
        judge: Callable[[StrategyFacts], Iterable[Finding]] = judge_creation,
    ) -> None:
        self._resume_step = whole_resume_step(resume_step)
        self.desk = desk = Desk(Policy.of(strict, ignore), users_place())
        self.text, self.directory = locate(logdir, desk)
        self.remote = bool(scheme_of(self.directory))
        self.role, self._role_in_words = Role(), ""
        with desk.guard("strategy"):
            facts = strategy_facts()
            self.role, self._role_in_words = facts.role, facts.role.in_words()
            desk.report_all(judge(facts))

    @property
    def purge_markers(self) -> list[Event]:
        """What makes TensorBoard drop the earlier points behind the step from which the run goes on."""
        if self._resume_step is None:
            return []
        log = SessionLog(status=SessionLog.START)
        return [Event(wall_time=time.time(), step=self._resume_step + 1, session_log=log)] * PURGE_MARKERS

    def ledger(self, events: Landing, news: list[Finding], **further: Any) -> Ledger:
        """The account of the writer, whose events and news these are."""
        resolved = self.directory.rstrip("/") if self.remote else os.path.realpath(self.directory)
        return Ledger(self.text, resolved, self.desk, events, self._role_in_words, news, **further)

    def watch(self, ledger: Ledger) -> list[Finding]:
        """Begins to watch the directory; what is found at once."""
        own_files = partial(scope.files_in, ledger.directory)
        ledger.watch = DirectoryWatch(self.directory, self.role, own_files, self._resume_step)
        return ledger.watch.look()


def open_files(plan: Plan, suffix: str, report: Callable[[Finding], None], queueing: Queueing) -> SafeEventFileWriter:
    """An event writer over files of our own; the first is created here.

    Raises:
        SafeWriterError: It can't be (SW102, SW103).
    """
    directory, desk = plan.directory, plan.desk
    open_file = gfile.GFile if plan.remote else None
    try:
        if plan.remote:
            gfile.make_directories(directory)
        files = EventFiles(directory, suffix, desk=desk, report=report, open_file=open_file)
        try:
            return event_file_writer_class()(plan.text, files, desk, report, queueing)
        except BaseException:
            files.remove()
            raise
    except OSError as error:
        raise cannot_create(directory, error, desk) from error


def open_session(
    session: Any, plan: Plan, suffix: str, report: Callable[[Finding], None], queueing: Queueing
) -> SafeSessionEventWriter:
    """An event writer over the summary resource of a session.

    Raises:
        SafeWriterError: No file can be created in the directory (SW102, SW103).
    """
    if not plan.remote:
        probe(plan.directory, plan.desk)
    return SafeSessionEventWriter(
        session,
        plan.text,
        plan.directory,
        new_token(),
        plan.desk,
        report,
        remote=plan.remote,
        max_queue=queueing.max_queue if plan.remote else 0,
        flush_secs=queueing.flush_secs,
        filename_suffix=suffix,
    )


def probe(directory: str, desk: Desk) -> None:
    """Shows that an event file can be created, for a writer whose file TensorFlow creates and says nothing."""
    try:
        try_out(directory)
    except OSError as error:
        raise cannot_create(directory, error, desk) from error

"""From what a constructor is given to an event writer that can be written to, or an error that says why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safewriter.checks.logdir import (
    judge_failure,
    judge_free_space,
    judge_given,
    judge_literal,
    judge_scheme,
    scheme_of,
)
from safewriter.findings import Desk, Finding, error_for, guarded
from safewriter.recording import gfile
from safewriter.recording.event_writer import SafeEventFileWriter, SafeSessionEventWriter, event_file_writer_class
from safewriter.recording.files import EventFiles, try_out
from safewriter.recording.queued import Queueing
from safewriter.recording.resource import new_token
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


def resolved(directory: str) -> str:
    """A directory with its links resolved: the same for all writers of one directory."""
    return directory.rstrip("/") if scheme_of(directory) else os.path.realpath(directory)


def free_space(directory: str) -> list[Finding]:
    """SW106."""
    free = None if scheme_of(directory) else free_bytes(directory)
    return [] if free is None else judge_free_space(directory, free)


def cannot_create(directory: str, error: OSError, desk: Desk) -> BaseException:
    """The exception for a file that can't be created: SW102 or SW103."""
    with desk.guard("log directory"):
        return error_for(judge_failure(directory, error, None if scheme_of(directory) else obstacle(directory)))
    return error


def open_files(
    text: str,
    directory: str,
    suffix: str,
    desk: Desk,
    report: Callable[[Finding], None],
    queueing: Queueing,
) -> SafeEventFileWriter:
    """An event writer over files of our own; the first is created here.

    Raises:
        SafeWriterError: It can't be (SW102, SW103).
    """
    remote = bool(scheme_of(directory))
    try:
        if remote:
            gfile.make_directories(directory)
        files = EventFiles(directory, suffix, desk=desk, report=report, open_file=gfile.GFile if remote else None)
        try:
            return event_file_writer_class()(text, files, desk, report, queueing)
        except BaseException:
            files.remove()
            raise
    except OSError as error:
        raise cannot_create(directory, error, desk) from error


def open_session(
    session: Any,
    text: str,
    directory: str,
    suffix: str,
    desk: Desk,
    report: Callable[[Finding], None],
    queueing: Queueing,
) -> SafeSessionEventWriter:
    """An event writer over the summary resource of a session.

    Raises:
        SafeWriterError: No file can be created in the directory (SW102, SW103).
    """
    remote = bool(scheme_of(directory))
    if not remote:
        probe(directory, desk)
    return SafeSessionEventWriter(
        session,
        text,
        directory,
        new_token(),
        desk,
        report,
        remote=remote,
        max_queue=queueing.max_queue if remote else 0,
        flush_secs=queueing.flush_secs,
        filename_suffix=suffix,
    )


def probe(directory: str, desk: Desk) -> None:
    """Shows that an event file can be created, for a writer whose file TensorFlow creates and says nothing."""
    try:
        try_out(directory)
    except OSError as error:
        raise cannot_create(directory, error, desk) from error

"""SW5xx: did what was written stay where it was written?"""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping

from safewriter.checks.errnos import describe, errno_name, hint_for
from safewriter.eventfile.local import FileState
from safewriter.eventfile.names import MARK
from safewriter.findings import Finding
from safewriter.findings.wording import plural, were


class Fate(enum.Enum):
    """What became of an event file, and what to change."""

    INTACT = ("is as it was written", "")
    DELETED = (
        "was deleted",
        "Find what cleans the log directory during the run (a start-up `rmtree`, a cleaner of temporary files, a "
        "tracker's clean-up hook) and let it run before the writer is created, or give each run a directory of its "
        "own.",
    )
    MOVED = (
        "was moved or renamed",
        "Move a run's directory after `writer.close()`; TensorBoard reads the moved file only in its new place.",
    )
    REPLACED = (
        "was replaced by another file",
        "A sync tool replaced the file; exclude the log directory from syncing, or sync in the other direction.",
    )
    TRUNCATED = (
        "was truncated",
        "Something else opened the file for writing; exclude the log directory from tools that rotate or sync logs.",
    )
    GROWN = ("was written to by somebody else", "Let only this writer write to its event files.")


def judge_state(state: FileState) -> Fate:
    """What became of an event file, from what is found of it."""
    if state.size is None:
        return Fate.DELETED
    if state.at_path:
        if state.size < state.expected_size:
            return Fate.TRUNCATED
        return Fate.GROWN if state.size > state.expected_size else Fate.INTACT
    if state.at_path is None:
        return Fate.MOVED if state.linked else Fate.DELETED
    return Fate.MOVED if state.linked and state.now_at else Fate.REPLACED


def stays_in_directory(state: FileState) -> bool:
    """Whether a file that was renamed is still one that TensorBoard reads with its directory."""
    if state.now_at is None:
        return False
    return os.path.dirname(state.now_at) == os.path.dirname(state.path) and MARK in os.path.basename(state.now_at)


def event_file_gone(
    state: FileState, fate: Fate, events: int, lost: int, goes_on: str | None, earlier: Mapping[str, int] | None = None
) -> Finding:
    """SW503.

    Args:
        state: What was found.
        fate: What became of the file.
        events: Events that had been written to it.
        lost: How many of them can't be read in the log directory any more.
        goes_on: The new file, or empty where none could be created; None where none is needed, at close.
        earlier: Files that the writer had finished before and that are gone too, each with the events that were in it.
    """
    earlier = earlier or {}
    what, hint = fate.value
    if fate is Fate.DELETED and not state.directory:
        what = "was deleted together with its directory"
    if fate is Fate.MOVED and state.now_at:
        what = f"was moved to {state.now_at}"
    message = f"The event file {state.path} {what} while it was being written"
    message += f": {lost:,} of its {plural(events, 'event')} went with it. " if lost else "; no event was lost. "
    if earlier:
        also = f"{plural(sum(earlier.values()), 'event')} in {plural(len(earlier), 'earlier file')}"
        message += f"With it went {also} of this writer. "
    if goes_on is None:
        message += "That came out when the writer was closed."
    else:
        message += f"Writing goes on in {goes_on}." if goes_on else "No new file could be created there yet."
    return Finding(
        "SW503",
        message,
        hint,
        path=state.path,
        data={
            "fate": fate.name.lower(),
            "events": events + sum(earlier.values()),
            "lost": lost + sum(earlier.values()),
            "goes_on": goes_on,
            "now_at": state.now_at,
            "earlier": dict(earlier),
        },
    )


def write_failed(path: str, error: OSError, kept: int, queued: int = 0) -> Finding:
    """SW502, for the call that failed.

    Args:
        path: The event file, or the directory where none could be opened.
        error: What the system said.
        kept: Events of this writer that landed before.
        queued: Events that wait in memory for the storage to come back.
    """
    message = f"The event was not written to {path}: {describe(error)}."
    if kept:
        message += f" The {plural(kept, 'event')} before it {'is' if kept == 1 else 'are'} safe."
    if queued:
        message = f"The event was not taken for {path}: {describe(error)}. {_waiting(queued)}."
    return _refused(path, error, message, hint_for(error) + " The next add tries again.", queued)


def flush_failed(path: str, error: OSError, queued: int) -> Finding:
    """SW502, for a flush that the storage refused, with so many events that wait in memory."""
    message = f"Flushing {path} failed: {describe(error)}. {_waiting(queued)}; `close()` says what is lost in the end."
    return _refused(path, error, message, hint_for(error), queued)


def _refused(path: str, error: OSError, message: str, hint: str, queued: int) -> Finding:
    return Finding(
        "SW502",
        message,
        hint,
        path=path,
        data={"errno": error.errno, "errno_name": errno_name(error), "queued": queued},
        raises=OSError if error.errno is None else None,
    )


def _waiting(queued: int) -> str:
    wait = "waits in memory and is" if queued == 1 else "wait in memory and are"
    return f"{plural(queued, 'event')} {wait} tried again each second, at `flush()` and at `close()`"


def too_large(path: str, reason: str) -> Finding:
    """SW502, for an event that protobuf can't serialize, for the reason that it gave."""
    return Finding(
        "SW502",
        f"The event was not written to {path}: it can't be serialized ({reason}). protobuf's limit "
        "for one message is 2 GB.",
        "Write less at once: a smaller image or tensor, or a graph without its large constants "
        "(`tf.compat.v1.placeholder` or variables in their place).",
        subject=f"too large:{path}",
        path=path,
        raises=ValueError,
    )


def events_lost(path: str, error: OSError | None, lost: int, failed_calls: int) -> Finding:
    """SW502, summed up when the writer closes.

    Args:
        path: The event file or directory of the last failure.
        error: The last failure.
        lost: Events that were accepted and can't land any more.
        failed_calls: Adds that raised: their events were not accepted.
    """
    reason = f": {describe(error)}" if error is not None else ""
    parts = []
    if lost:
        parts.append(f"{plural(lost, 'event')} that had been accepted did not reach {path}{reason}.")
    if failed_calls:
        verb = "add call failed and its event is" if failed_calls == 1 else "add calls failed and their events are"
        parts.append(f"{failed_calls:,} {verb} not in the log{'' if lost else f' ({path}{reason})'}.")
    return Finding(
        "SW502",
        " ".join(parts),
        hint_for(error) if error is not None else "",
        subject=f"sum:{path}",
        count=lost + failed_calls,
        path=path,
        data={"lost": lost, "failed_calls": failed_calls, "errno": error.errno if error else None},
    )


def resource_closed(path: str, closed_by: str, failed_calls: int) -> Finding:
    """SW502, for a ``session=`` writer whose resource another writer has closed, and whose adds then raised."""
    what = f"{plural(failed_calls, 'event')} {were(failed_calls)}"
    return Finding(
        "SW502",
        f"{what} not written to {path}: the writer created at {closed_by} shares TensorFlow's summary resource for "
        "this directory and session, and closing it closed the resource for both.",
        "Give each writer a directory of its own, or close both after the last add.",
        subject=f"closed:{path}",
        count=failed_calls,
        path=path,
        data={"lost": 0, "failed_calls": failed_calls, "closed_by": closed_by},
    )


def never_flushed(events: int, ever_flushed: bool, path: str, *, dropped: bool) -> Finding:
    """SW501: events behind the last flush of a writer that nobody closed."""
    since = "since the last flush " if ever_flushed else ""
    when = "was dropped without being closed" if dropped else "was still open when the program ended"
    return Finding(
        "SW501",
        f"The writer {when}, with {plural(events, 'event')} {since}that {were(events)} never flushed. "
        f"safewriter wrote {'it' if events == 1 else 'them all'} to {path}; tf.compat.v1.summary.FileWriter can lose "
        f"{'it' if events == 1 else 'every one of them'}.",
        "Use the writer as a context manager, `with SafeFileWriter(logdir) as writer:`, or call `writer.close()` "
        "in a `finally` block.",
        subject="never-flushed",
        path=path,
        data={"events": events, "ever_flushed": ever_flushed},
    )


def more_never_closed(writers: int, events: int) -> Finding:
    """SW501, summed up: more writers that one line created and nobody closed, with so many events."""
    which = "writer that was created at the same line was" if writers == 1 else "writers that it created were"
    return Finding(
        "SW501",
        f"{writers:,} more {which} never closed, with {plural(events, 'event')} that {were(events)} never flushed. "
        "safewriter wrote them all; tf.compat.v1.summary.FileWriter can lose every one of them.",
        "Create the writer once, before the loop; or close each: `with SafeFileWriter(logdir) as writer:`.",
        subject="never-flushed: more",
        count=writers,
        data={"writers": writers, "events": events},
    )


def used_after_close(dropped: int) -> Finding:
    """SW504: adds to a closed writer."""
    return Finding(
        "SW504",
        f"{plural(dropped, 'event')} went to the writer after it was closed and {were(dropped)} dropped, "
        "as FileWriter does.",
        "Close the writer after the last add, or call `writer.reopen()` before going on.",
        subject="used-after-close",
        count=dropped,
        data={"dropped": dropped},
    )


def used_after_fork(parent: int, pid: int, path: str) -> Finding:
    """SW505: a forked child writes."""
    return Finding(
        "SW505",
        f"This writer was created by process {parent} and is used by its forked child {pid}. The child goes on "
        f"in a file of its own, {path}; FileWriter would lose its first events and then hang.",
        "Create a writer in each process, in a directory of its own (`os.path.join(logdir, f'worker-{rank}')`): "
        "TensorBoard draws the events of parent and child as one curve otherwise.",
        subject=f"pid:{pid}",
        path=path,
        data={"parent": parent, "pid": pid},
    )


def too_many_writers(open_writers: int, places: list[tuple[str, int]]) -> Finding:
    """SW506: descriptors leak, usually one writer a step or an epoch.

    Args:
        open_writers: How many are open.
        places: The lines that created them, with how many each, most first.
    """
    line, count = places[0]
    return Finding(
        "SW506",
        f"{open_writers} writers of this process are open, {count} of them created at {line}. "
        "Each holds a file descriptor; when those run out, every further file fails to open.",
        "Create the writer once, before the loop, or close each one: `with SafeFileWriter(logdir) as writer:`.",
        subject="too-many-writers",
        data={"open": open_writers, "places": dict(places[:10])},
    )

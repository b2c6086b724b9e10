"""The landing judge, on plain facts: what became of a file, and what is said of it."""

import errno

import pytest

from safewriter.checks.errnos import describe
from safewriter.checks.landing import (
    Fate,
    event_file_gone,
    events_lost,
    flush_failed,
    judge_state,
    never_flushed,
    stays_in_directory,
    too_many_writers,
    used_after_close,
    used_after_fork,
    write_failed,
)
from safewriter.checks.tf2 import in_tf2_words
from safewriter.eventfile.local import FileState, LocalFile
from safewriter.findings import error_for

PATH = "/logs/events.out.tfevents.1.host.2.0000"


def state(**facts):
    return FileState(**{"path": PATH, "expected_size": 100, "size": 100, "at_path": True, **facts})


@pytest.mark.parametrize(
    ("facts", "fate"),
    [
        ({}, Fate.INTACT),
        ({"size": 99}, Fate.TRUNCATED),
        ({"size": 0}, Fate.TRUNCATED),
        ({"size": 101}, Fate.GROWN),
        ({"at_path": None, "linked": False}, Fate.DELETED),
        ({"at_path": None, "linked": False, "size": None}, Fate.DELETED),
        ({"at_path": True, "size": None}, Fate.DELETED),
        ({"at_path": None, "now_at": "/away/file"}, Fate.MOVED),
        ({"at_path": None}, Fate.MOVED),
        ({"at_path": False, "linked": False}, Fate.REPLACED),
        ({"at_path": False, "now_at": "/away/file"}, Fate.MOVED),
        ({"at_path": False, "linked": True}, Fate.REPLACED),
    ],
)
def test_fates(facts, fate):
    """Device, inode, size and links tell what became of a file."""
    assert judge_state(state(**facts)) is fate


@pytest.mark.parametrize(
    ("now_at", "stays"),
    [
        (PATH + ".1", True),
        ("/logs/archive/events.out.tfevents.1", False),
        ("/logs/renamed", False),
        (None, False),
    ],
)
def test_stays_in_directory(now_at, stays):
    """A file that was renamed beside itself is still read, as long as its name is an event file's."""
    assert stays_in_directory(state(at_path=None, now_at=now_at)) is stays


def test_gone_says_all():
    """SW503 says which file, what became of it, how many events went, and where writing goes on."""
    found = event_file_gone(state(linked=False), Fate.DELETED, 1200, 1200, "/logs/next", {"/logs/first": 30})
    assert found.code == "SW503"
    assert found.message == (
        f"The event file {PATH} was deleted while it was being written: 1,200 of its 1,200 events went with it. "
        "With it went 30 events in 1 earlier file of this writer. Writing goes on in /logs/next."
    )
    assert found.data["lost"] == 1230
    assert found.path == PATH


@pytest.mark.parametrize(
    ("facts", "fate", "words"),
    [
        ({"directory": False}, Fate.DELETED, "was deleted together with its directory"),
        ({"now_at": "/away/x"}, Fate.MOVED, "was moved to /away/x"),
        ({}, Fate.REPLACED, "was replaced by another file"),
        ({}, Fate.TRUNCATED, "was truncated"),
        ({}, Fate.GROWN, "was written to by somebody else"),
    ],
)
def test_gone_says_how(facts, fate, words):
    """SW503 says in words what happened, and what to change."""
    found = event_file_gone(state(**facts), fate, 2, 0, "")
    assert f"{words} while it was being written; no event was lost. " in found.message
    assert found.message.endswith("No new file could be created there yet.")
    assert found.hint


def test_gone_at_close():
    """At close no new file is needed, and none is spoken of."""
    assert "Writing goes on" not in event_file_gone(state(), Fate.DELETED, 1, 1, None).message


def test_failed_write():
    """SW502 at the call: file, reason with errno, what is safe, what to do; an OSError of the class that fits."""
    found = write_failed(PATH, OSError(errno.ENOSPC, "x"), 7)
    assert found.message == (
        f"The event was not written to {PATH}: No space left on device (ENOSPC, errno 28). "
        "The 7 events before it are safe."
    )
    assert "free space" in found.hint
    error = error_for(found)
    assert isinstance(error, OSError)
    assert (error.errno, error.filename) == (errno.ENOSPC, PATH)
    assert isinstance(error_for(write_failed(PATH, PermissionError(errno.EACCES, "x"), 0)), PermissionError)
    assert isinstance(error_for(write_failed(PATH, OSError("no number"), 0)), OSError)


def test_failed_write_before_a_queue():
    """Where events wait in memory, SW502 says how many."""
    found = write_failed(PATH, OSError(errno.EIO, "x"), 7, 3)
    assert "3 events wait in memory" in found.message
    assert found.data["queued"] == 3
    assert "1 event wait" not in flush_failed(PATH, OSError(errno.EIO, "x"), 3).message
    assert f"Flushing {PATH} failed: " in flush_failed(PATH, OSError(errno.EIO, "x"), 3).message


@pytest.mark.parametrize(
    ("lost", "calls", "message"),
    [
        (
            5,
            0,
            f"5 events that had been accepted did not reach {PATH}: Input/output error (EIO, errno 5).",
        ),
        (
            0,
            1,
            f"1 add call failed and its event is not in the log ({PATH}: Input/output error (EIO, errno 5)).",
        ),
        (
            1,
            2,
            f"1 event that had been accepted did not reach {PATH}: Input/output error (EIO, errno 5). "
            "2 add calls failed and their events are not in the log.",
        ),
    ],
)
def test_sum(lost, calls, message):
    """The sum at close tells accepted events that are lost from calls that failed."""
    found = events_lost(PATH, OSError(errno.EIO, "x"), lost, calls)
    assert found.message == message
    assert found.count == lost + calls


def test_others():
    """The other findings of this judge name their numbers."""
    assert (
        "3 events since the last flush that were never flushed" in never_flushed(3, True, PATH, dropped=False).message
    )
    assert "was dropped without being closed, with 1 event that" in never_flushed(1, False, PATH, dropped=True).message
    assert used_after_close(1).message.startswith("1 event went to the writer after it was closed and was dropped")
    assert "created by process 1 and is used by its forked child 2" in used_after_fork(1, 2, PATH).message
    assert "40 writers of this process are open, 39 of them" in too_many_writers(40, [("a.py:1", 39)]).message


def test_errno_without_a_name():
    """An error without an errno is described by its text."""
    assert describe(OSError("the bucket is gone")) == "the bucket is gone"
    assert describe(OSError()) == "OSError"


def test_unstable_inodes(tmp_path, monkeypatch):
    """On a file system that numbers a file anew at each look, only existence and size are compared.

    FUSE mounts with ``noforget`` off do so; the numbers are changed here because no such mount can be had in a test.
    """
    import itertools
    import os
    import types

    numbers = itertools.count()
    stat = os.stat

    def renumbered(path, **options):
        found = stat(path, **options)
        fields = ("st_dev", "st_size", "st_nlink", "st_mode")
        return types.SimpleNamespace(st_ino=next(numbers), **{name: getattr(found, name) for name in fields})

    monkeypatch.setattr(os, "stat", renumbered)
    file = LocalFile(str(tmp_path / "file"))
    file.write(b"event")
    assert judge_state(file.state()) is Fate.INTACT
    os.truncate(file.path, 3)
    assert judge_state(file.state()) is Fate.TRUNCATED
    os.unlink(file.path)
    assert judge_state(file.state()) is Fate.DELETED
    file.close()


def test_what_tensorflow_dropped_is_said_in_tf2_words():
    """There the user made no add call, and TensorFlow does not say why it dropped an event."""
    finding = in_tf2_words(events_lost(PATH, None, 0, 3))
    assert finding.message == f"3 events were refused or dropped by TensorFlow and are not in the log ({PATH})."
    assert "`ulimit -f`" in finding.hint
    full = in_tf2_words(events_lost(PATH, OSError(errno.ENOSPC, ""), 0, 1))
    assert full.message.startswith("1 event was refused or dropped by TensorFlow and is not in the log")
    assert full.hint.startswith("The disk is full")

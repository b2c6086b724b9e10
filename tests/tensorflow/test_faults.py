"""Each fault of a run, with real processes, signals and disks: all has landed, or the loss is said with its number."""

import errno
import os
import signal
import sys

import pytest
from disks import FullDisk
from fault_programs import PROGRAMS, Left, reported_lost, source

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals, forks and limits are POSIX")


@pytest.fixture
def suffer(run_forked, tmp_path):
    """Runs a program that suffers a fault; gives its outcome and what it left."""

    def run(name, logs="logs"):
        outcome = run_forked(source(name), "ours", logs, timeout=60)
        return outcome, Left(tmp_path, "seen" if name == "reader_looks" else logs)

    return run


@pytest.fixture
def small_disk(tmp_path):
    disk = FullDisk(str(tmp_path / "disk"))
    if not disk.mounted:
        pytest.skip("only root may mount a small disk; the limit on file sizes is tested by all")
    yield disk
    disk.close()


UNHARMED = {
    "sigkill": (-signal.SIGKILL, []),
    "sigterm": (-signal.SIGTERM, []),
    "os_exit": (3, []),
    "abort": (-signal.SIGABRT, []),
    "reader_looks": (0, []),
    "never_closed": (0, ["SW501"]),
    "exception": (1, ["SW501"]),
    "sys_exit": (4, ["SW501"]),
    "ctrl_c": (1, ["SW501"]),
    "fork_child_writes": (0, ["SW505"]),
    "fork_child_exits": (0, []),
    "fork_beside_threads": (0, ["SW505"]),
    "one_after_the_other": (0, []),
    "at_once": (0, ["SW204"] * 7),
    "in_processes": (0, ["SW203"]),
    "reopen_in_a_loop": (0, []),
    "threads": (0, ["SW403"]),
    "handler_flushes": (0, []),
    "clock_jumps_back": (0, []),
}


@pytest.mark.parametrize("name", UNHARMED)
def test_nothing_is_lost(suffer, name):
    """However a program ends, and whoever else writes: each accepted event is there once, in a file that is whole."""
    outcome, left = suffer(name)
    exit_code, codes = UNHARMED[name]
    assert left.missing == set()
    assert left.twice == set()
    assert left.torn == []
    if name in ("handler_flushes", "threads", "fork_beside_threads"):
        assert set(outcome.codes) <= {"SW403", *codes}  # their steps go up and down
    elif name == "in_processes":
        assert set(outcome.codes) <= {"SW203"}  # who looks first sees nobody
    else:
        assert outcome.codes == codes
    assert outcome.exit_code == exit_code or (name == "ctrl_c" and outcome.exit_code in (1, 130, -signal.SIGINT))


@pytest.mark.parametrize(
    ("name", "files"), [("one_after_the_other", 20), ("at_once", 8), ("in_processes", 4), ("reopen_in_a_loop", 31)]
)
def test_one_file_each(suffer, name, files):
    """Writers of one second and one directory get a file each."""
    assert len(suffer(name)[1].files) == files


def test_users_exception_arrives(suffer):
    """The exception of the user's is the one that ends the program."""
    assert "KeyError: 'the program fails'" in suffer("exception")[0].stderr


GONE = {
    "file_removed": (101, "was deleted while"),
    "directory_removed": (101, "was deleted together with its directory"),
    "directory_moved": (101, "was moved to"),
    "file_renamed": (0, "was moved to"),
    "file_truncated": (None, "was truncated"),
    "file_replaced": (51, "was replaced"),
}


@pytest.mark.parametrize("name", GONE)
def test_what_went_is_reported(suffer, name):
    """Where a file goes, SW503 says how many events went with it, and writing goes on in a new file."""
    outcome, left = suffer(name)
    lost, how = GONE[name]
    texts = [reported.text for reported in outcome.reported]
    assert outcome.codes == ["SW503"]
    assert how in texts[0]
    assert "Writing goes on in " in texts[0]
    assert "Writer created at program.py:" in texts[0]
    if name == "file_replaced":  # what the file in its place holds of it is not counted
        assert reported_lost(texts) == 101
    else:
        assert reported_lost(texts) == len(left.missing)
    assert lost is None or len(left.missing) == lost
    assert set(range(101, 200)) <= set(left.found), "what came later landed"
    assert left.twice == set()
    assert left.torn == []


def test_adds_notice(suffer):
    """A log directory that goes is noticed within a second of adds, without a flush."""
    outcome, left = suffer("noticed_by_adds")
    assert outcome.exit_code == -signal.SIGKILL
    assert outcome.codes == ["SW503"]
    assert reported_lost([reported.text for reported in outcome.reported]) == len(left.missing)
    assert {249} <= set(left.found)


def test_directory_becomes_a_file(suffer):
    """While a file is in the place of the log directory each add raises ENOTDIR; afterwards all is as before."""
    outcome, left = suffer("directory_replaced")
    assert outcome.stderr.count(f"raised SafeWriterNotADirectoryError {errno.ENOTDIR}") == 50
    assert outcome.codes == ["SW503", "SW502"]
    assert "No new file could be created there yet." in outcome.reported[0].text
    assert "50 add calls failed and their events are not in the log" in outcome.reported[1].text
    assert len(left.missing) == 100 == reported_lost([reported.text for reported in outcome.reported])
    assert set(range(150, 200)) <= set(left.found)


@pytest.mark.parametrize("name", ["full_disk", "full_for_ever_disk"])
def test_full_disk(suffer, small_disk, name):
    """On a full disk each failing add raises ENOSPC; what was accepted is there, and the sum is reported at close."""
    os.mkdir(os.path.join(small_disk.path, "logs"))
    outcome, left = suffer(name, "disk/logs")
    failed = outcome.stderr.count(f"raised SafeWriterOSError {errno.ENOSPC}")
    assert failed > 50
    assert outcome.stderr.count("\nraised") + outcome.stderr.startswith("raised") == failed
    assert left.missing == set()
    assert left.twice == set()
    assert left.torn == []
    assert (set(range(300, 400)) <= set(left.found)) == (name == "full_disk")
    assert outcome.codes == ["SW106", "SW502"]
    text = outcome.reported[-1].text
    assert f"{failed} add calls failed and their events are not in the log" in text
    assert "No space left on device (ENOSPC, errno 28)" in text
    assert os.path.join("disk", "logs", "events.out.tfevents.") in text
    assert "Writer created at program.py:" in text


def test_size_limit(suffer):
    """At the limit on file sizes each failing add raises EFBIG; when it is lifted the next ones land."""
    outcome, left = suffer("size_limit")
    assert outcome.stderr.count(f"raised SafeWriterOSError {errno.EFBIG}") == 300 - len(left.accepted)
    assert left.missing == set()
    assert left.torn == []
    assert set(range(200, 300)) <= set(left.found)
    assert outcome.codes == ["SW502"]
    assert "ulimit -f" in outcome.reported[0].text


def test_threads_and_close(suffer):
    """Adds of 16 threads land while others flush, close and reopen; those that found it closed are counted."""
    outcome, left = suffer("threads_and_close")
    dropped = sum(
        int(reported.text.split()[2].replace(",", "")) for reported in outcome.reported if reported.code == "SW504"
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert len(left.missing) == dropped
    assert left.twice == set()
    assert left.torn == []
    assert set(outcome.codes) <= {"SW504", "SW403"}


_WORKERS = """
import multiprocessing, os, sys

def work(rank, logs, writer=None):
    import tensorflow.compat.v1 as tf
    from safewriter import SafeFileWriter
    tf.disable_eager_execution()
    writer = writer or SafeFileWriter(logs)
    noted = os.open("accepted", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for number in range(1000 * rank, 1000 * rank + 50):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag=f"of {rank}", simple_value=number)]), number)
        os.write(noted, b"%d\\n" % number)
    globals()["kept"] = writer  # never closed: it must be open when the process ends

if __name__ == "__main__":
    multiprocessing.set_forkserver_preload(["safewriter.writer"])
    workers = []
    for rank, method in enumerate(("spawn", "forkserver", "forkserver")):
        context = multiprocessing.get_context(method)
        workers.append(context.Process(target=work, args=(rank, f"logs/{method}")))
    for worker in workers:
        worker.start()
    import tensorflow.compat.v1 as tf
    from safewriter import SafeFileWriter
    tf.disable_eager_execution()
    with SafeFileWriter("logs/fork") as writer:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="parent", simple_value=777777)]), 7)
        context = multiprocessing.get_context("fork")
        workers += [context.Process(target=work, args=(10 + rank, None, writer)) for rank in range(2)]
        for worker in workers[-2:]:
            worker.start()
        for worker in workers:
            worker.join()
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="parent", simple_value=888888)]), 8)
    sys.exit(any(worker.exitcode for worker in workers))
"""


def test_multiprocessing(run_program, tmp_path):
    """Children of multiprocessing, by fork, forkserver and spawn: a file each, every event once, the parent's too."""
    outcome = run_program(_WORKERS, timeout=200)
    assert outcome.exit_code == 0, outcome.stderr
    lefts = {method: Left(tmp_path, f"logs/{method}") for method in ("spawn", "forkserver", "fork")}
    assert {method: len(left.files) for method, left in lefts.items()} == {"spawn": 1, "forkserver": 2, "fork": 3}
    assert [left.torn for left in lefts.values()] == [[], [], []]
    found = sum((left.found for left in lefts.values()), start=type(lefts["fork"].found)())
    expected = {1000 * rank + number for rank in (0, 1, 2, 10, 11) for number in range(50)} | {777777, 888888}
    assert set(found) == expected
    assert set(found.values()) == {1}
    assert outcome.codes.count("SW505") == 2
    assert outcome.codes.count("SW501") == 5


def test_programs_are_all_used():
    """No fault stands in the table without a test."""
    others = {
        "noticed_by_adds",
        "directory_replaced",
        "full_disk",
        "full_for_ever_disk",
        "size_limit",
        "threads_and_close",
    }
    assert set(UNHARMED) | set(GONE) | others == set(PROGRAMS)
    assert sys.platform != "win32"

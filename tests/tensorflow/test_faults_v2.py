"""TF2's writer and each fault of a run, with real processes, signals and disks: the table of ``docs/landing.md``."""

import os

import pytest
from disks import FullDisk
from fault_programs import PROGRAMS_OF_TF2, Left, reported_failed, reported_lost, source

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals, forks and limits are POSIX")

#: What must be reported; what is not named here must not be.
REPORTED = {
    **{name: {"SW505"} for name in ["fork_child_writes", "fork_beside_threads", "fork_in_a_block"]},
    **{name: {"SW503"} for name in ["file_removed", "directory_removed", "directory_moved", "directory_replaced"]},
    **{name: {"SW503"} for name in ["file_renamed", "file_truncated", "file_replaced", "noticed_by_adds"]},
    **{name: {"SW503"} for name in ["removed_under_a_function", "removed_among_threads"]},
    **{name: {"SW502"} for name in ["full_disk", "full_for_ever_disk", "size_limit", "big_on_a_full_disk"]},
    "at_once": {"SW204"},
}
#: What may be, for it depends on how threads and processes come to run.
MAY_BE = {
    "fork_beside_threads": {"SW403"},
    "removed_among_threads": {"SW403"},
    "handler_flushes": {"SW403"},
    "in_processes": {"SW203"},
}
#: Where events go with the file, or the disk.
LOSES = {"directory_moved", "file_truncated", "big_on_a_full_disk"}


@pytest.mark.parametrize("name", PROGRAMS_OF_TF2)
def test_all_has_landed_or_is_reported(name, run_forked, tmp_path):
    """Of the events that TensorFlow took each lands once, or the loss is reported with its number."""
    disk = FullDisk(str(tmp_path / "disk")) if name.endswith("_disk") else None
    logs = "disk/logs" if disk else "logs"
    try:
        if disk:
            if not disk.mounted:
                pytest.skip("no small file system can be mounted")
            os.mkdir(tmp_path / logs)
        outcome = run_forked(source(name, "v2"), "ours", logs, timeout=120)
        left = Left(str(tmp_path), "seen" if name == "reader_looks" else logs)
    finally:
        if disk:
            disk.close()
    codes = set(outcome.codes) - {"SW106"}
    expected = REPORTED.get(name, set())
    assert expected <= codes <= expected | MAY_BE.get(name, set()), outcome.stderr
    texts = [each.text for each in outcome.reported]
    assert len(left.missing) <= reported_lost(texts) + (name in LOSES) * reported_failed(texts), outcome.stderr
    assert bool(left.missing) == (name in LOSES)
    assert not left.twice
    assert not left.torn
    assert len(left.accepted) >= 10 or name == "handler_flushes"


def test_the_line_that_created_a_dropped_writer(run_forked):
    """A function that was traced under a writer which is gone gets an error that names the writer's line."""
    outcome = run_forked("""
import tensorflow as tf, safewriter, gc
@tf.function
def function():
    tf.summary.write("loss", 0.5, step=1)
with safewriter.create_file_writer("logs").as_default():
    function()
gc.collect()
try:
    function()
except tf.errors.NotFoundError as error:
    print(error)
""")
    assert "the summary writer created at program.py:6, which is closed or was dropped" in outcome.stdout


def test_every_fault_is_judged():
    """The names of what is expected are those of programs."""
    assert {*REPORTED, *MAY_BE, *LOSES} <= set(PROGRAMS_OF_TF2)

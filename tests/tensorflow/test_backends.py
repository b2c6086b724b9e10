"""What each backend owes to a writer, asked of all of them alike."""

import contextlib
import glob
import os
import uuid

import pytest
import tensorflow.compat.v1 as tf

from safewriter.findings import Desk, Policy
from safewriter.findings.place import Place
from safewriter.recording import gfile
from safewriter.recording.direct import DirectBackend
from safewriter.recording.event_writer import SafeSessionEventWriter
from safewriter.recording.files import EventFiles
from safewriter.recording.queued import QueuedBackend, Queueing
from safewriter.recording.session import new_token
from safewriter.recording.turn import Turn


@pytest.fixture(params=["direct", "queued", "remote", "session"])
def bench(request, tmp_path):
    """A backend with its turn, its directory and what it reported."""

    class Bench:
        def __init__(self):
            self.kind = request.param
            self.reported = []
            self.turn = Turn()
            self.logdir = f"ram://{uuid.uuid4().hex}" if request.param == "remote" else str(tmp_path / "logs")

        def add(self, *steps):
            with self.turn.lock:
                for step in steps:
                    self.backend.write(event(step))
            self.turn.act()

        def found(self):
            files = tf.io.gfile.glob(self.logdir + "/*") if "://" in self.logdir else glob.glob(self.logdir + "/*")
            return sorted(e.step for file in files for e in tf.train.summary_iterator(file) if e.HasField("summary"))

    bench = Bench()
    desk = Desk(Policy(), Place("train.py", 1))
    with tf.Graph().as_default() as graph, contextlib.ExitStack() as stack:
        if bench.kind == "session":
            session = stack.enter_context(tf.Session(graph=graph))
            owner = SafeSessionEventWriter(
                session, bench.logdir, bench.logdir, new_token(), desk, bench.reported.append, filename_suffix=""
            )
            bench.backend, bench.turn = owner.backend, owner.turn
        else:
            files = EventFiles(
                bench.logdir,
                desk=desk,
                report=bench.reported.append,
                open_file=gfile.GFile if bench.kind == "remote" else None,
            )
            if bench.kind == "direct":
                bench.backend = DirectBackend(files, bench.turn, lambda: None)
            else:
                bench.backend = QueuedBackend(files, bench.turn, desk, Queueing(10, 60.0))
        yield bench
        bench.backend.close(30)


def event(step):
    return tf.Event(step=step, summary=tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=step)]))


def test_account(bench):
    """Everything that was taken is accepted, and has landed after a flush; nothing is pending or lost."""
    bench.add(1, 2, 3)
    assert bench.backend.accepted == 3
    bench.backend.flush()
    backend = bench.backend
    assert (backend.accepted, backend.landed, backend.pending, backend.lost) == (3, 3, 0, 0)
    assert bench.found() == [1, 2, 3]
    assert sum(part.events for part in backend.parts) == 3
    assert backend.path == backend.parts[-1].path


def test_close_twice(bench):
    """A close brings everything to the storage and has nothing to say; a second one does nothing."""
    bench.add(1)
    assert bench.backend.close() == []
    assert bench.backend.close() == []
    assert (bench.backend.landed, bench.backend.lost) == (1, 0)
    assert bench.found() == [1]


def test_reopen(bench):
    """After a close, events go on in a new file."""
    bench.add(1)
    bench.backend.close()
    generation = bench.backend.generation
    bench.backend.reopen()
    assert bench.backend.generation > generation
    bench.add(2)
    bench.backend.close()
    assert bench.found() == [1, 2]
    assert len(bench.backend.parts) == 2
    assert bench.backend.landed == 2


def test_in_between(bench):
    """What a re-entering call adds lands once, in order of its arrival or later, and is counted."""
    bench.add(1)
    with bench.turn.lock:
        bench.backend.write_in_between(event(2))
        bench.backend.write_in_between(event(3))
    bench.turn.act()
    bench.add(4)
    bench.backend.flush()
    assert bench.found() == [1, 2, 3, 4]
    assert (bench.backend.accepted, bench.backend.landed) == (4, 4)


def test_the_file_is_removed(bench):
    """What went with a file is counted as lost, and reported once with its number."""
    bench.add(*range(1, 12))
    bench.backend.flush()
    tf.io.gfile.remove(bench.backend.path)
    bench.backend.flush()
    assert [finding.code for finding in bench.reported] == ["SW503"]
    assert "11 of its 11 events went with it" in bench.reported[0].message
    assert (bench.backend.accepted, bench.backend.landed, bench.backend.lost) == (11, 0, 11)
    assert bench.backend.close() == []


def test_remove(bench):
    """A constructor that fails leaves no file behind."""
    bench.backend.remove()
    if bench.kind != "remote":
        assert not os.path.isdir(bench.logdir) or os.listdir(bench.logdir) == []
    else:
        assert tf.io.gfile.glob(bench.logdir + "/*") == []

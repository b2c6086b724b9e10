"""What each backend owes to a writer, asked of all of them alike."""

import contextlib
import functools
import glob
import os
import types
import uuid

import pytest
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_summary_ops

from safewriter.findings import Desk, Policy
from safewriter.findings.place import Place
from safewriter.recording import gfile
from safewriter.recording.direct import DirectBackend
from safewriter.recording.eager import EagerResource
from safewriter.recording.event_writer import SafeSessionEventWriter
from safewriter.recording.files import EventFiles
from safewriter.recording.queued import QueuedBackend, Queueing
from safewriter.recording.resource import ResourceBackend, new_token
from safewriter.recording.turn import Turn

LOCAL = ["direct", "queued", "session", "eager"]
REMOTE = ["remote", "remote session", "remote eager"]


@pytest.fixture(params=LOCAL + REMOTE)
def bench(request, tmp_path):
    """A backend with its turn, its directory and what it reported."""

    class Bench:
        def __init__(self):
            self.kind = request.param
            self.reported = []
            self.turn = Turn()
            self.remote = request.param in REMOTE
            self.logdir = f"ram://{uuid.uuid4().hex}" if self.remote else str(tmp_path / "logs")

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
    common = {"desk": desk, "report": bench.reported.append}
    with contextlib.ExitStack() as stack:
        if "session" in bench.kind:
            graph = stack.enter_context(tf.Graph().as_default())
            session = stack.enter_context(tf.Session(graph=graph))
            owner = SafeSessionEventWriter(
                session, bench.logdir, bench.logdir, new_token(), filename_suffix="", max_queue=0, **common
            )
            bench.backend, bench.turn = owner.backend, owner.turn
        elif "eager" in bench.kind:
            token = new_token()
            given = {"logdir": bench.logdir, "max_queue": 0, "flush_millis": 1000, "filename_suffix": token}
            create = functools.partial(gen_summary_ops.create_summary_file_writer, **given)
            events = types.SimpleNamespace(may_exchange=lambda: True, stays_open=lambda: False)
            resource = EagerResource(gen_summary_ops.summary_writer(shared_name=token), create, events)
            resource.reopen()
            bench.backend = ResourceBackend(resource, bench.logdir, token, bench.turn, **common)
        else:
            open_file = gfile.GFile if bench.remote else None
            files = EventFiles(bench.logdir, desk=desk, report=bench.reported.append, open_file=open_file)
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
    """What went with a file is counted as lost, or was copied from what is still open; it is reported once."""
    bench.add(*range(1, 12))
    bench.backend.flush()
    tf.io.gfile.remove(bench.backend.path)
    bench.backend.flush()
    assert [finding.code for finding in bench.reported] == ["SW503"]
    backend = bench.backend
    if bench.kind in ("session", "eager"):
        assert "no event was lost" in bench.reported[0].message
        assert (backend.accepted, backend.landed, backend.lost) == (11, 11, 0)
    else:
        assert "11 of its 11 events went with it" in bench.reported[0].message
        assert (backend.accepted, backend.landed, backend.lost) == (11, 0, 11)
    bench.add(12)
    assert backend.close() == []
    assert bench.found() == [*(range(1, 12) if bench.kind in ("session", "eager") else ()), 12]


def test_remove(bench):
    """A constructor that fails leaves no file behind."""
    bench.backend.remove()
    if not bench.remote:
        assert not os.path.isdir(bench.logdir) or os.listdir(bench.logdir) == []
    else:
        assert tf.io.gfile.glob(bench.logdir + "/*") == []

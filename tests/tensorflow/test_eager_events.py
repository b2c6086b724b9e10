"""TF2's writer where several mechanisms meet: the watcher, threads, captures, the timer, and the end of the program."""

import gc
import io
import os
import threading
import time
import uuid

import pytest
import tensorflow as tf

from safewriter import create_file_writer
from safewriter.checks.landing import Fate
from safewriter.eventfile.read import read_events
from safewriter.findings import CAPTURES
from safewriter.recording.growing import GrowingFile
from safewriter.recording.watcher import WATCHER
from safewriter.testing import capture_findings


def steps(directory):
    """The steps of all events in a directory's files, sorted."""
    files = [os.path.join(directory, name) for name in os.listdir(directory)]
    return sorted(event.step for file in files for event in read_events(file) if event.summary.value)


def test_the_watcher_beside_writes_faults_and_closes(tmp_path):
    """A thread that looks all the time, the owner that writes and closes, and files that vanish: all lands, once."""
    busy, looked = [True], []

    def watch(safe):
        while busy:
            safe.look_aside()
            looked.append(1)

    with capture_findings() as findings:
        for turn in range(10):
            logdir = str(tmp_path / str(turn))
            writer = create_file_writer(logdir)
            busy[:] = [True]
            thread = threading.Thread(target=watch, args=(writer._events,))
            thread.start()
            for step in range(100):
                with writer.as_default():
                    tf.summary.write("loss", 1.0, step=step)
                if step % 40 == 20:
                    os.unlink(writer._events.backend.path)
                    writer.flush()
            writer.close()
            busy.clear()
            thread.join()
            assert steps(logdir) == list(range(100))
            report = writer.report()
            assert (report.events, report.landed, report.lost) == (100, 100, 0)
            assert report.tags["loss"].count == 100
    assert looked
    assert {finding.code for finding in findings} == {"SW503"}


def test_another_thread_that_writes_during_a_look(tmp_path):
    """What a thread with a default writer of its own writes while a flush reads back is not taken for lost."""

    def write(start, stop):
        writer.set_as_default()
        for step in range(start, stop):
            tf.summary.write("loss", 1.0, step=step)

    with capture_findings() as findings:
        writer = create_file_writer(str(tmp_path))
        write(0, 20)
        backend = writer._events.backend
        backend._budget = None  # else a look may be put off
        exchange = backend._exchange_where_gone  # the last that a flush does before it counts

        def overtaken(**how):
            exchange(**how)
            other = threading.Thread(target=write, args=(20, 40))
            other.start()
            other.join()

        backend._exchange_where_gone = overtaken
        writer.flush()
        writer.close()
        report = writer.report()
    assert findings == []
    assert report.events == report.landed == 40


@pytest.mark.parametrize("at", [1, 50, 100])
def test_a_look_that_an_exception_leaves(tmp_path, at):
    """Where an exception of a handler's leaves a look, the next one counts each event once, and sees no cut."""
    path = str(tmp_path / "events.out.tfevents.1")
    with tf.io.TFRecordWriter(path) as file:
        for step in range(101):
            file.write(tf.compat.v1.Event(step=step).SerializeToString())
        file.flush()
        taken = []

        def take(event):
            taken.append(event.step)
            if event.step == at:
                raise KeyboardInterrupt

        growing = GrowingFile(path, remote=False, take=take)
        with pytest.raises(KeyboardInterrupt):
            growing.read()
        file.write(tf.compat.v1.Event(step=101).SerializeToString())
    assert growing.read()
    assert (growing.part.events, growing.part.landed) == (101, 101)
    assert growing.fate()[0] is Fate.INTACT
    assert sorted(set(taken)) == sorted(taken)
    growing.close()


def test_a_file_is_not_exchanged_under_another_thread(tmp_path):
    """While another thread has the writer as its default one, a flush leaves the resource alone; nothing is lost."""
    writer = create_file_writer(str(tmp_path))
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with writer.as_default():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    with CAPTURES.capture() as findings, writer.as_default():
        thread.start()
        entered.wait()
        tf.summary.write("loss", 1.0, step=1)
        os.unlink(writer.report().files[0].path)
        writer.flush()
        assert findings == []
        tf.summary.write("loss", 1.0, step=2)
        leave.set()
        thread.join()
        writer.flush()
        assert [finding.code for finding in findings] == ["SW503"]
        tf.summary.write("loss", 1.0, step=3)
    writer.close()
    assert steps(str(tmp_path)) == [1, 2, 3]


def test_flush_millis_holds_without_a_next_event():
    """On a file system of TensorFlow's an idle writer is flushed after ``flush_millis``."""
    logdir = f"ram://{uuid.uuid4().hex}"
    writer = create_file_writer(logdir, flush_millis=500)
    with CAPTURES.capture(), writer.as_default():
        tf.summary.write("loss", 1.0, step=7)
        deadline = time.monotonic() + 60
        while not (found := seen(logdir)) and time.monotonic() < deadline:
            time.sleep(0.1)
    writer.close()
    assert found == [7]


def seen(logdir):
    """What another program reads now, of whole records."""
    (file,) = tf.io.gfile.glob(logdir + "/*")
    with tf.io.gfile.GFile(file, "rb") as opened:
        return [event.step for event in read_events(io.BytesIO(opened.read())) if event.summary.value]


def test_a_writer_is_created_in_the_middle_of_another_ones_creation(tmp_path):
    """A signal handler may create a writer while the interrupted call adds one to the watcher."""
    with WATCHER._lock, capture_findings():
        create_file_writer(str(tmp_path)).close()


def test_a_capture_ends_as_a_program_does(tmp_path):
    """What would be reported if the program ended now is in the list, and a writer that stays open goes on."""
    with capture_findings() as findings:
        writer = create_file_writer(str(tmp_path / "a"))
        with writer.as_default():
            tf.summary.write("loss", float("nan"), step=1)
        writer.flush()
    assert [finding.code for finding in findings] == ["SW401"]
    with CAPTURES.capture() as later:
        with writer.as_default():
            tf.summary.write("loss", 1.0, step=2)
        writer.close()
    assert "SW401" not in {finding.code for finding in later if finding.count == 1}
    assert steps(str(tmp_path / "a")) == [1, 2]


def test_who_asks_for_the_handle_writes_nothing(tmp_path):
    """A program that flushes through the raw op, with the writer's handle, is not taken for one that lost events."""
    with capture_findings() as findings:
        writer = create_file_writer(str(tmp_path))
        with writer.as_default():
            for step in range(20):
                tf.summary.write("loss", 1.0, step=step)
                tf.raw_ops.FlushSummaryWriter(writer=writer._resource)
        assert writer._events.backend.written == 20
        writer.close()
    assert findings == []


def test_a_dropped_writer_is_ended(tmp_path):
    """The garbage collector ends a writer that nobody closed: what it wrote is read, and its descriptor given back."""
    with capture_findings() as findings:
        writer = create_file_writer(str(tmp_path))
        with writer.as_default():
            tf.summary.write("loss", float("nan"), step=1)
        ledger = writer._events.ledger
        del writer
        gc.collect()
        assert ledger.events.closed
        assert (ledger.events.backend.accepted, ledger.events.backend.landed) == (1, 1)
    assert [finding.code for finding in findings] == ["SW401"]


def test_a_writer_that_a_function_has_closed(tmp_path):
    """A deleted file of a resource that a function of the user's has ended is copied when the writer is closed."""
    with capture_findings() as findings:
        writer = create_file_writer(str(tmp_path))
        with writer.as_default():
            tf.summary.write("loss", 1.0, step=1)

        @tf.function(autograph=False)
        def end():
            writer.close()

        end()
        os.unlink(writer.report().files[0].path)
        writer._events.end(None)
    assert [finding.code for finding in findings] == ["SW503"]
    assert steps(str(tmp_path)) == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_that_only_ends(run_forked, tmp_path):
    """A child forked in a block that writes nothing leaves the parent's file alone, and begins none."""
    outcome = run_forked("""
import os, sys
import tensorflow as tf, safewriter
writer = safewriter.create_file_writer("logs")
with writer.as_default():
    tf.summary.write("loss", 1.0, step=1)
    child = os.fork()
    if not child:
        sys.exit(0)
    os.waitpid(child, 0)
    tf.summary.write("loss", 1.0, step=2)
writer.close()
print(len(os.listdir("logs")), writer.report().landed)
""")
    assert outcome.stdout == "1 2\n", outcome.stderr
    assert outcome.codes == []

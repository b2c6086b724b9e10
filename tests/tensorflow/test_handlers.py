"""Signal handlers that use a writer in the middle of a call of the writer's: at each line of it, over each backend."""

import collections
import contextlib
import gc
import glob
import os
import signal
import sys
import threading
import time
import uuid

import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf
from interrupts import Interrupter

from safewriter import SafeFileWriter, create_file_writer
from safewriter.recording import scope
from safewriter.recording.queued import QueuedBackend

HERE = os.path.dirname(os.path.abspath(sys.modules["safewriter"].__file__)) + os.sep
#: Where calls of a writer run. The judges do not touch what a handler could need.
ROOMS = tuple(HERE + part for part in ("writer.py", "writer_v2.py", "recording", "eventfile" + os.sep + "local.py"))
V1_BACKENDS = ("direct", "queued", "remote", "session")
BACKENDS = (*V1_BACKENDS, "eager", "remote eager")

# TensorFlow says so of handlers that come after the close.
pytestmark = pytest.mark.filterwarnings("ignore:Attempting to use a closed FileWriter")


def number(value):
    return tf.Summary(value=[tf.Summary.Value(tag="number", simple_value=value)])


def numbers(logdir):
    """How often each number is in the event files, by TensorFlow's reader."""
    pattern = os.path.join(logdir, "*tfevents*")
    files = tf.io.gfile.glob(pattern) if "://" in logdir else glob.glob(pattern)
    return collections.Counter(
        int(tf.make_ndarray(value.tensor) if value.HasField("tensor") else value.simple_value)
        for file in files
        for event in tf.train.summary_iterator(file)
        for value in event.summary.value
    )


class RefusedError(Exception):
    """TF2's writer is closed, and raises."""


class Eager:
    """A TF2 writer with the calls of a ``FileWriter``."""

    def __init__(self, logdir):
        self.writer = create_file_writer(logdir, ignore=("SW403", "SW404"))
        self.flush, self.close, self.report = self.writer.flush, self.writer.close, self.writer.report

    @property
    def _closed(self):
        return self.writer._closed

    def add_summary(self, summary, step):
        (value,) = summary.value
        try:
            with self.writer.as_default():
                tf2.summary.write(value.tag, value.simple_value, step=step)
        except (RuntimeError, tf.errors.NotFoundError) as error:
            if not self._closed:
                raise
            raise RefusedError from error


@contextlib.contextmanager
def opened(backend, tmp_path):
    """A writer over a backend, in a scope of its own; yields it with its directory and what is reported."""
    logdir = f"ram://{uuid.uuid4().hex}" if "remote" in backend else str(tmp_path / uuid.uuid4().hex)
    with contextlib.ExitStack() as stack:
        if "eager" in backend:
            findings = stack.enter_context(scope.capture())
            yield Eager(logdir), logdir, findings
            return
        graph = stack.enter_context(tf.Graph().as_default())
        session = stack.enter_context(tf.Session(graph=graph)) if backend == "session" else None
        findings = stack.enter_context(scope.capture())
        writer = SafeFileWriter(logdir, session=session, ignore=("SW402", "SW403", "SW404"))
        if backend == "queued":
            writer.event_writer._storage_is_slow()
            assert isinstance(writer.event_writer.backend, QueuedBackend)
        yield writer, logdir, findings


def use(writer, values, added, action):
    """What a handler does."""
    if action == "add":
        value = next(values)
        before = writer.report().events
        with contextlib.suppress(RefusedError):
            writer.add_summary(number(value), value)
            if not writer._closed or isinstance(writer, Eager) or writer.report().events > before:
                added.append(value)
    elif action == "flush":
        writer.flush()
    elif action == "close":
        writer.close()
    else:
        writer.report()


def interrupted_at(lines, call, handler):
    """Runs a call, with the handler run at some line events of it; whether there was the last of them."""
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        if not frame.f_code.co_filename.startswith(ROOMS):
            return None
        if event == "line":
            seen += 1
            if seen in lines:
                handler()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return seen >= max(lines)


def one_run(backend, call, action, line, tmp_path, *, before=()):
    """A few adds around a call that is interrupted at a line, and at others before; whether it has such a line."""
    with opened(backend, tmp_path) as (writer, logdir, findings):
        values, added, late = iter(range(1, 1000)), [], []
        for _ in range(3):
            use(writer, values, added, "add")

        def interrupted():
            if call == "add":
                value = next(values)
                with contextlib.suppress(RefusedError):
                    writer.add_summary(number(value), value)
                    late.append(value)
            else:
                getattr(writer, "flush" if call == "exchange" else call)()

        if call == "exchange":
            os.unlink(writer.report().files[-1].path)
        reached = interrupted_at({*before, line}, interrupted, lambda: use(writer, values, added, action))
        use(writer, values, added, "add")
        writer.close()
        report = writer.report()
        found = numbers(logdir)
        assert max(found.values()) == 1, (line, "written twice")
        dropped = sum(finding.data["dropped"] for finding in findings if finding.code == "SW504")
        lost = sum(finding.data.get("lost", 0) for finding in findings if finding.code in ("SW502", "SW503"))
        usual = {"SW504", "SW502", "SW503"} if call == "exchange" else {"SW504", "SW502"}
        assert {finding.code for finding in findings} <= usual, (line, findings)
        assert set(found) <= {*added, *late}, line
        assert len({*added, *late} - set(found)) <= dropped + lost, (line, added, late, found)
        assert report.events == report.landed + report.lost, (line, report)
        assert report.pending == 0
    return reached


@pytest.mark.parametrize("action", ["add", "flush", "close", "report"])
@pytest.mark.parametrize("call", ["add", "flush", "close"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_at_each_line(backend, call, action, tmp_path):
    """Whatever a handler does at whatever line of a call, nothing hangs, and each event lands once or is reported."""
    line = 1
    while one_run(backend, call, action, line, tmp_path):
        line += 1
    assert line > 10


@pytest.mark.parametrize("action", ["add", "flush", "close", "report"])
@pytest.mark.parametrize("backend", ["session", "eager"])
def test_at_each_line_of_an_exchange(backend, action, tmp_path):
    """The same where the interrupted call finds its file deleted: it copies it, and goes on in a new one."""
    line = 1
    while one_run(backend, "exchange", action, line, tmp_path):
        line += 1
    assert line > 100


@pytest.mark.parametrize(("action", "first"), [("add", 40), ("add", 25), ("flush", 40), ("close", 40), ("close", 25)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_twice(backend, action, first, tmp_path):
    """A second handler may come in at any line after a first one: also while the interrupted call acts on its word."""
    line = first + 1
    while one_run(backend, "add", action, line, tmp_path, before=[first]):
        line += 1
    assert line > first + 10


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_handler_that_ends_the_process(run_forked, tmp_path, read_points, end):
    """What a handler added in the middle of a write is on disk also where it then ends the process."""
    run_forked(f"""
import os, signal, sys
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter
tf.disable_eager_execution()
def number(value):
    return tf.Summary(value=[tf.Summary.Value(tag="number", simple_value=value)])
writer = SafeFileWriter("logs", ignore="SW4")
writer.add_summary(number(1), 1)
real = os.write
def handler(*_):
    writer.add_summary(number(3), 3)
    writer.flush()
    {end}
signal.signal(signal.SIGUSR1, handler)
def interrupted(fd, data):
    os.write = real
    signal.raise_signal(signal.SIGUSR1)
    return real(fd, data)
os.write = interrupted
writer.add_summary(number(2), 2)
""")
    assert {1, 3} <= {step for step, _ in read_points(tmp_path / "logs")["number"]}


def test_a_handler_that_raises_in_the_close_of_slow_storage(run_forked, tmp_path, read_points):
    """Where an exception of a handler's leaves a close that waits for storage, the exit hook waits in its place."""
    outcome = run_forked("""
import os, signal, sys, time
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter
tf.disable_eager_execution()
writer = SafeFileWriter("logs")
writer.event_writer._storage_is_slow()
write = os.write
def slow_write(*arguments):
    time.sleep(0.5)
    return write(*arguments)
os.write = slow_write
for step in range(3):
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="number", simple_value=step)]), step)
signal.signal(signal.SIGALRM, lambda *_: sys.exit(7))
signal.setitimer(signal.ITIMER_REAL, 0.1)
writer.close()
""")
    assert outcome.exit_code == 7
    assert outcome.codes == []
    assert len(read_points(tmp_path / "logs")["number"]) == 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_exception_that_leaves_a_close(backend, tmp_path):
    """Where an exception of a handler's leaves a close, at any moment, the next one closes and the sum is right."""

    class Interrupted(BaseException):
        pass

    def handler(*_):
        raise Interrupted

    took = [0.0]
    left = 0
    before = signal.signal(signal.SIGALRM, handler)
    try:
        for turn in range(60):
            with opened(backend, tmp_path) as (writer, logdir, findings):
                for value in (1, 2, 3):
                    writer.add_summary(number(value), value)
                events = writer.writer._events if "eager" in backend else writer.event_writer
                close = events.backend.close

                def timed(timeout=None, turn=turn, close=close):
                    began = time.monotonic()
                    signal.setitimer(signal.ITIMER_REAL, max(took[0] * turn / 60, 1e-5))
                    said = close(timeout)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    took[0] = time.monotonic() - began
                    return said

                events.backend.close = timed
                try:
                    writer.close()
                except Interrupted:
                    left += 1
                events.backend.close = close
                writer.close()
                report, found = writer.report(), numbers(logdir)
            assert sorted(found.elements()) == [1, 2, 3]
            assert (report.events, report.landed, report.lost, report.pending) == (3, 3, 0, 0)
            assert {finding.code for finding in findings} <= {"SW506"}  # the scope learns of an end from a whole close
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert left > 5


def test_at_each_line_of_the_way_to_the_queue(tmp_path):
    """What a handler adds while the queue takes over, for storage turned out slow, lands and is counted once."""
    line, going_on = 1, True
    while going_on:
        values, added = iter(range(1, 100)), []
        with opened("direct", tmp_path) as (writer, logdir, findings):
            events = writer.event_writer

            def switch(events=events):
                try:
                    with events.turn.lock:
                        events._storage_is_slow()
                finally:
                    events.turn.act()

            use(writer, values, added, "add")
            going_on = interrupted_at({line}, switch, lambda: use(writer, values, added, "add"))  # noqa: B023 - called here
            use(writer, values, added, "add")
            writer.close()
            report = writer.report()
            found = numbers(logdir)
        assert sorted(found) == added, line
        assert set(found.values()) == {1}, line
        assert (report.events, report.landed, report.lost) == (len(added), len(added), 0), line
        assert findings == [], line
        line += 1
    assert line > 30


@pytest.mark.parametrize("backend", ["direct", "queued"])
def test_an_event_that_a_close_overtakes(backend, tmp_path):
    """An event that a tracker hands over while another thread closes the writer lands, or is reported as lost."""
    with opened(backend, tmp_path) as (writer, logdir, findings):
        events = writer.event_writer
        put = events._try_put  # TensorFlow has looked whether the writer is closed, and our turn is not yet taken

        def overtaken(event):
            closing = threading.Thread(target=writer.close)
            closing.start()
            closing.join()
            put(event)

        events._try_put = overtaken
        events.add_event(tf.Event(step=7, summary=number(7)))
        events._try_put = put
        writer.close()
        writer.reopen()
        writer.add_summary(number(8), 8)
        writer.close()
        report, found = writer.report(), numbers(logdir)
    assert report.events == report.landed + report.lost
    assert sorted(found) == ([7, 8] if backend == "direct" else [8])
    assert {finding.code for finding in findings} == (set() if backend == "direct" else {"SW502"})


def test_a_live_reader_sees_what_comes_after(tmp_path, monkeypatch, graph):
    """TensorBoard's own reader, which never goes back to an earlier file, sees all that follows an interrupted add."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    writer = SafeFileWriter(str(tmp_path), ignore="SW403")
    reader = EventAccumulator(str(tmp_path))
    writer.add_summary(number(1), 1)
    reader.Reload()
    real = os.write
    calls = []

    def interrupted(fd, data):
        written = real(fd, data)
        if not calls:
            calls.append(fd)
            writer.add_summary(number(3), 3)
            reader.Reload()
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        writer.add_summary(number(2), 2)
    for value in range(4, 17):
        writer.add_summary(number(value), value)
    reader.Reload()
    assert sorted(event.step for event in reader.Scalars("number")) == list(range(1, 17))
    writer.close()
    assert len(writer.report().files) == 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python tells of each instruction since 3.12")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a file that was opened just then
@pytest.mark.parametrize("call", ["flush", "close"])
@pytest.mark.parametrize("backend", ["direct", "eager"])
def test_an_exception_at_each_point(backend, call, tmp_path):
    """Where an exception of a handler's leaves a call that finds the file gone, a later call says what is lost."""
    point, reached = 0, True
    with Interrupter("writer", "recording", "findings") as interrupter:
        while reached:
            with opened(backend, tmp_path) as (writer, logdir, findings):
                for value in (1, 2, 3):
                    writer.add_summary(number(value), value)
                os.unlink(writer.report().files[-1].path)
                reached = interrupter.run(point, getattr(writer, call))
                if not writer._closed:
                    writer.add_summary(number(4), 4)
                writer.close()
                report, found = writer.report(), numbers(logdir)
            at = (point, report, findings)
            lost = sum(finding.data.get("lost", 0) for finding in findings if finding.code in ("SW502", "SW503"))
            assert {finding.code for finding in findings} <= {"SW502", "SW503"}, at
            assert report.events == report.landed + report.lost, at
            # Left between a deed and its booking, it may say more than is lost; never less.
            assert report.landed <= len(found), at
            assert report.lost <= lost, at
            point += 1
    gc.collect()  # files that were just opened are closed here, where that is expected
    assert point > 100


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
@pytest.mark.parametrize("backend", V1_BACKENDS)
def test_beside_other_threads(backend, run_forked, tmp_path):
    """Handlers that use the writer while other threads wait for the call that they interrupt: nothing hangs."""
    outcome = run_forked(PROGRAM_WITH_THREADS, backend, f"ram://{uuid.uuid4().hex}", timeout=100)
    assert outcome.stdout.endswith("ended\n"), outcome


PROGRAM_WITH_THREADS = """
import random, signal, sys, threading, time, warnings
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter
tf.disable_eager_execution()
warnings.simplefilter("ignore")
sys.setswitchinterval(1e-4)
backend, url = sys.argv[1:]
session = tf.Session() if backend == "session" else None
writer = SafeFileWriter(url if backend == "remote" else "logs", session=session, ignore="SW2,SW4,SW5")
if backend == "queued":
    writer.event_writer._storage_is_slow()

def add():
    tag = random.choice("abcdef")
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=1)]), 1)

def work():
    while fired < FIRES:
        add()
        writer.flush()

def handler(*_):
    global fired
    fired += 1
    random.choice([add, writer.flush, writer.report, writer.close])()
    if fired < FIRES:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.003))

fired, FIRES = 0, 600
threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01)
while fired < FIRES:
    writer.flush()
    writer.reopen()
    add()
    writer.report()
for thread in threads:
    thread.join()
writer.close()
report = writer.report()
assert report.events == report.landed + report.lost, report
assert report.pending == 0
print("ended")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
@pytest.mark.parametrize(
    ("backend", "action"),
    # A TF2 writer can't be reopened.
    [
        (backend, action)
        for backend in BACKENDS
        for action in ("add", "flush", "close")
        if not ("eager" in backend and action == "close")
    ],
)
def test_a_real_signal(backend, action, tmp_path):
    """Handlers of a real timer, hundreds of them at any moment of adds and flushes, neither hang nor lose anything."""
    with opened(backend, tmp_path) as (writer, logdir, findings):
        values, added, fired = iter(range(100_000)), [], []

        def handler(*_):
            began = time.monotonic()
            fired.append(1)
            use(writer, values, added, action)
            # Leaves the loop as long again: a busy machine would else come to nothing, beneath ever more handlers.
            signal.setitimer(signal.ITIMER_REAL, 0.001 + time.monotonic() - began)

        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        try:
            deadline = time.monotonic() + 20
            while len(fired) < 200 and time.monotonic() < deadline:
                value = next(values)
                with contextlib.suppress(StopIteration):
                    if writer._closed:
                        writer.reopen()
                    events = writer.report().events
                    writer.add_summary(number(value), value)
                    if action != "close" or writer.report().events > events:
                        added.append(value)
                    writer.flush()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        writer.close()
        report = writer.report()
        found = numbers(logdir)
    assert len(fired) >= 200
    assert max(found.values()) == 1
    assert report.events == report.landed + report.lost == len(found) + report.lost
    if action != "close":
        assert sorted(found) == sorted(added)
        assert report.lost == 0
        assert {finding.code for finding in findings} == set()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [Exception, TimeoutError])  # the latter is an OSError, but not the storage's
@pytest.mark.parametrize("backend", ["direct", "queued", "remote"])  # a session makes something else of it
def test_a_time_limit(backend, kind, tmp_path):
    """What a handler raises at any moment of an add reaches the program, and is no fault of ours or of the storage."""

    class Limit(kind):
        pass

    raised, caught, added, took = [], [], [], 0.001

    def handler(*_):
        raised.append(1)
        raise Limit

    with opened(backend, tmp_path) as (writer, logdir, findings):
        before = signal.signal(signal.SIGALRM, handler)
        try:
            for value in range(300):
                began = time.monotonic()
                try:
                    signal.setitimer(signal.ITIMER_REAL, max(took * (value % 30) / 30, 1e-6))
                    writer.add_summary(number(value), value)
                    added.append(value)
                    writer.flush()
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except (Limit, RuntimeError):  # Python's own, of a `Condition` that was about to wait
                    caught.append(1)
                else:
                    took = time.monotonic() - began
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        writer.close()
        report, found = writer.report(), numbers(logdir)
    # Python swallows one in a weak reference's callback, and `os.path.isdir`, for one, each OSError.
    assert len(raised) - len(caught) < (100 if kind is TimeoutError else 4)
    assert len(caught) > 100
    assert findings == []
    assert set(added) <= set(found)
    assert max(found.values()) == 1
    assert report.events == report.landed
    assert report.pending == report.lost == 0

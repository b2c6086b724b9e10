"""The queue before slow storage, without TensorFlow: bounds, timer, failures, and files that change under it."""

import errno
import io
import threading
import time

import pytest

from safewriter.eventfile.local import FileState
from safewriter.eventfile.messages import Event
from safewriter.eventfile.read import count_records
from safewriter.eventfile.record import record_of
from safewriter.findings import Desk, Policy
from safewriter.findings.place import Place
from safewriter.recording.files import EventFiles
from safewriter.recording.queued import QueuedBackend, Queueing
from safewriter.recording.turn import Turn


class Storage:
    """A file in memory whose stores can be held up, and fail."""

    def __init__(self, path):
        self.path = path
        self.size = 0
        self.torn = False
        self.records = b""
        self.stores = 0
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self.error = None
        self.halfway = 0
        self.gone = False
        self.closed = False

    def write(self, records):
        self.begun.set()
        self.open.wait()
        if self.error is not None:
            if self.halfway:
                self.records += records[: self.halfway]
                self.torn = True
            raise self.error
        self.records += records
        self.size = len(self.records)
        self.stores += 1

    def state(self):
        size = None if self.gone else len(self.records)
        return FileState(self.path, self.size, size, at_path=None if self.gone else True, linked=not self.gone)

    def reader(self):
        return io.BytesIO(self.records)

    def reached(self):
        return count_records(self.reader(), self.size)[0]

    def cut_to(self, size):
        self.records = self.records[:size]

    def sync(self):
        """Nothing to do."""

    def close(self):
        self.closed = True

    def remove(self):
        self.gone = True


class Bench:
    """A queue over storages in memory."""

    def __init__(self, **options):
        self.storages = []
        self.reported = []
        self.refuse = None
        desk = Desk(Policy(), Place("train.py", 1))
        self.files = EventFiles("mem://logs", desk=desk, report=self.reported.append, open_file=self._create)
        self.storage.begun.clear()
        bounds = Queueing(options.pop("max_queue", 10), options.pop("flush_secs", 60))
        self.queue = QueuedBackend(self.files, Turn(), desk, bounds)
        for name, value in options.items():
            setattr(self.queue, name, value)

    def _create(self, path):
        if self.refuse is not None:
            error, self.refuse = self.refuse, None
            raise error
        self.storages.append(Storage(path))
        return self.storages[-1]

    @property
    def storage(self):
        return self.storages[-1]

    def put(self, *steps):
        for step in steps:
            self.queue.write(Event(step=step))

    def steps(self, number=-1):
        """What is in a storage, the version record left out."""
        file = self.storages[number].reader()
        found = []
        while header := file.read(12):
            data = file.read(int.from_bytes(header[:8], "little"))
            file.read(4)
            found.append(Event.FromString(data))
        return [event.step for event in found if not event.file_version]


@pytest.fixture
def make():
    benches = []

    def new(**options):
        benches.append(Bench(**options))
        return benches[-1]

    yield new
    for bench in benches:
        for storage in bench.storages:
            storage.error = None
            storage.open.set()
        bench.queue.close(30)


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_order_and_count(make):
    """A flush stores all that was taken, in order, in one piece, and counts it."""
    bench = make()
    bench.put(1, 2, 3)
    assert (bench.queue.accepted, bench.queue.pending) == (3, 3)
    bench.queue.flush()
    assert (bench.queue.accepted, bench.queue.pending, bench.queue.landed) == (3, 0, 3)
    assert bench.steps() == [1, 2, 3]
    assert bench.storage.stores == 2  # the version record, and the three together


def test_timer(make):
    """What came in is stored when its time is up, without a next event."""
    bench = make(flush_secs=0.01)
    bench.put(1)
    wait_until(lambda: bench.queue.pending == 0)
    assert bench.steps() == [1]


def test_limit(make):
    """Many bytes are stored ahead of time."""
    bench = make(_limit=40)
    bench.put(*range(1, 5))
    wait_until(lambda: bench.queue.pending < 4)


def test_adding_waits_behind_a_store_only(make):
    """While a store is under way, adds wait once ``max_queue`` events do; before, they never wait."""
    bench = make(max_queue=2)
    bench.put(*range(1, 6))
    bench.storage.open.clear()
    flusher = threading.Thread(target=bench.queue.flush)
    flusher.start()
    bench.storage.begun.wait()
    bench.put(6, 7)
    blocked = threading.Thread(target=bench.put, args=(8,))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    assert bench.queue.pending == 7
    bench.storage.open.set()
    blocked.join()
    flusher.join()
    bench.queue.flush()
    assert bench.steps() == list(range(1, 9))


def test_no_bound(make):
    """With ``max_queue`` 0 nothing waits behind a store."""
    bench = make(max_queue=0)
    bench.put(1)
    bench.storage.open.clear()
    flusher = threading.Thread(target=bench.queue.flush)
    flusher.start()
    bench.storage.begun.wait()
    bench.put(*range(2, 102))
    assert bench.queue.pending == 101
    bench.storage.open.set()
    flusher.join()


def test_failure_and_return(make):
    """While the storage fails, what is held stays, nothing more is taken, and the thread tries again by itself."""
    bench = make(retry_secs=0.01)
    bench.storage.error = OSError(errno.ENOSPC, "full")
    bench.put(1)
    with pytest.raises(OSError, match="1 event waits in memory") as first:
        bench.queue.flush()
    with pytest.raises(OSError, match="was not taken") as second:
        bench.put(2)
    assert first.value.errno == second.value.errno == errno.ENOSPC
    assert bench.queue.pending == 1
    bench.storage.error = None
    wait_until(lambda: bench.queue.pending == 0)
    bench.put(3)
    bench.queue.flush()
    assert bench.steps() == [1, 3]
    assert bench.queue.accepted == 2


def test_an_error_of_another_kind(make):
    """An error that is no OSError does not end the thread: it is reported, and the events stay."""
    bench = make()
    bench.storage.error = MemoryError("no room")
    bench.put(1)
    with pytest.raises(OSError, match="MemoryError: no room"):
        bench.queue.flush()
    bench.storage.error = None
    bench.queue.flush()
    assert bench.steps() == [1]


def test_a_torn_file_is_renewed(make):
    """Of a store that failed halfway, what had reached the old file is not written to the new one."""
    bench = make()
    first = Event(step=1).SerializeToString()
    bench.storage.error, bench.storage.halfway = OSError(errno.EIO, "half"), len(record_of(first)) + 3
    bench.put(1, 2, 3)
    with pytest.raises(OSError, match="EIO"):
        bench.queue.flush()
    bench.queue.flush()
    assert bench.steps() == [2, 3]
    assert (bench.queue.accepted, bench.queue.pending) == (3, 0)
    assert [part.events for part in bench.queue.parts] == [1, 2]


def test_renewal_that_fails(make):
    """Where no new file is to be had, the events stay, and it is tried again."""
    bench = make()
    bench.storage.torn = True
    bench.refuse = OSError(errno.EMFILE, "none left")
    bench.put(1)
    with pytest.raises(OSError, match="EMFILE"):
        bench.queue.flush()
    assert bench.queue.pending == 1
    bench.queue.flush()
    assert bench.steps() == [1]


def test_a_file_that_is_gone(make):
    """What waits goes to a new file where the old one is gone, and only what was in it is lost."""
    bench = make()
    bench.put(1, 2)
    bench.queue.flush()
    bench.storage.gone = True
    bench.put(3)
    bench.queue.flush()
    assert bench.steps() == [3]
    assert [finding.code for finding in bench.reported] == ["SW503"]
    assert (bench.queue.accepted, bench.queue.lost, bench.queue.landed) == (3, 2, 1)


def test_a_call_that_reenters(make):
    """What a handler adds while its thread has the turn is held at once, and the thread hears of it afterwards."""
    bench = make(flush_secs=0.01)
    turn = bench.queue._turn
    with turn.lock:
        bench.queue.write_in_between(Event(step=1))
        assert bench.queue.pending == 1
    turn.act()
    wait_until(lambda: bench.queue.pending == 0)
    assert bench.steps() == [1]


def test_storage_that_does_not_answer(make):
    """A storage that does not answer keeps neither flush nor close waiting, and what it did not take is lost."""
    bench = make()
    bench.storage.open.clear()
    bench.put(1)
    with pytest.raises(OSError, match=r"did not answer within 0.02 s"):
        bench.queue.flush(0.02)
    (finding,) = bench.queue.close(0.02)
    assert finding.code == "SW502"
    assert finding.data["lost"] == 1
    assert (bench.queue.accepted, bench.queue.lost, bench.queue.pending) == (1, 1, 0)


def test_closed_by_its_own_thread(make):
    """A finalizer may run on the queue's own thread: the close does not wait for itself, and everything is stored."""
    bench = make()
    closed = []
    real = bench.storage.write

    def close_within(records):
        if not closed:
            closed.append(bench.queue.close())
        real(records)

    bench.storage.write = close_within
    bench.put(1, 2)
    bench.queue.flush()
    wait_until(lambda: bench.storage.closed)
    assert closed == [[]]
    assert bench.steps() == [1, 2]

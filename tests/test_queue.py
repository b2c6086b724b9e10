"""The queue before slow storage, alone: bounds, timer, failures, and the file that changes under it."""

import errno
import threading
import time

import pytest

from safewriter.eventfile.record import frame
from safewriter.recording.queued import WriteQueue


class Storage:
    """A file in memory whose stores can be held up, and fail."""

    def __init__(self, path="first"):
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

    def write_framed(self, records):
        self.begun.set()
        self.open.wait()
        if self.error is not None:
            self.records += records[: self.halfway]
            raise self.error
        self.records += records
        self.size += len(records)
        self.stores += 1


@pytest.fixture
def make():
    queues = []

    def new(storage, max_queue=10, flush_secs=60, limit=1 << 20, **hooks):
        counted = []
        settings = {"stored": counted.append, "look": lambda: None, "renew": lambda file: (file, 0), **hooks}
        queue = WriteQueue(storage, max_queue, flush_secs, limit, **settings)
        queue.counted = counted
        queues.append((queue, storage))
        return queue

    yield new
    for queue, storage in queues:
        storage.open.set()
        queue.stop()


def framed(*events):
    return b"".join(b"".join(frame(event)) for event in events)


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_order_and_count(make):
    """A flush stores all that was put, in order, in one piece, and says how many."""
    storage = Storage()
    queue = make(storage)
    for event in (b"a", b"b", b"c"):
        queue.put(event)
    assert queue.pending == 3
    queue.flush()
    assert queue.pending == 0
    assert storage.records == framed(b"a", b"b", b"c")
    assert storage.stores == 1
    assert sum(queue.counted) == 3


def test_timer(make):
    """What came in is stored when its time is up, without a next event."""
    storage = Storage()
    queue = make(storage, flush_secs=0.01)
    queue.put(b"a")
    wait_until(lambda: queue.pending == 0)
    assert storage.records == framed(b"a")


def test_limit(make):
    """Many bytes are stored ahead of time."""
    storage = Storage()
    queue = make(storage, limit=1000)
    queue.put(bytes(600))
    queue.put(bytes(600))
    wait_until(lambda: queue.pending == 0)


def test_adding_blocks_behind_a_store_only(make):
    """While a store is under way, adds wait once ``max_queue`` events do; before, they never wait."""
    storage = Storage()
    queue = make(storage, max_queue=2)
    for _ in range(5):
        queue.put(b"before")
    storage.open.clear()
    flusher = threading.Thread(target=queue.flush)
    flusher.start()
    storage.begun.wait()
    queue.put(b"1")
    queue.put(b"2")
    blocked = threading.Thread(target=queue.put, args=(b"3",))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    assert queue.pending == 7
    storage.open.set()
    blocked.join()
    flusher.join()
    queue.flush()
    assert storage.records == framed(*[b"before"] * 5, b"1", b"2", b"3")


def test_failure_and_return(make):
    """While the storage fails, what is held stays, nothing more is taken, and the thread tries again by itself."""
    storage = Storage()
    queue = make(storage)
    queue.retry_secs = 0.01
    storage.error = OSError(errno.ENOSPC, "full")
    queue.put(b"a")
    with pytest.raises(OSError, match="full") as first:
        queue.flush()
    with pytest.raises(OSError, match="full") as second:
        queue.put(b"refused")
    assert first.value is not second.value
    assert second.value.errno == errno.ENOSPC
    assert queue.pending == 1
    storage.error = None
    wait_until(lambda: queue.pending == 0)
    queue.put(b"b")
    queue.flush()
    assert storage.records == framed(b"a", b"b")
    assert sum(queue.counted) == 2


def test_an_error_of_another_kind(make):
    """An error that is no OSError does not end the thread: it is told, and the events stay."""
    storage = Storage()
    queue = make(storage)
    storage.error = MemoryError("no room")
    queue.put(b"a")
    with pytest.raises(OSError, match="MemoryError: no room"):
        queue.flush()
    storage.error = None
    queue.flush()
    assert storage.records == framed(b"a")


def test_torn_file_is_renewed(make):
    """Of a store that failed halfway, what had reached the old file is not written to the new one."""
    old, new = Storage(), Storage("second")
    queue = make(old, renew=lambda file: (new, 1))
    for event in (b"a", b"b", b"c"):
        queue.put(event)
    old.error, old.halfway, old.torn = OSError(errno.EIO, "half"), len(framed(b"a")), True
    queue._file.torn = True
    queue.flush()
    assert new.records == framed(b"b", b"c")
    assert queue.pending == 0


def test_renewal_that_fails(make):
    """Where no new file is to be had, the events stay, and it is tried again."""
    old, new = Storage(), Storage("second")
    failures = [OSError(errno.EMFILE, "none left")]

    def renew(_):
        if failures:
            raise failures.pop()
        return new, 0

    queue = make(old, renew=renew)
    old.torn = True
    queue.put(b"a")
    with pytest.raises(OSError, match="none left"):
        queue.flush()
    assert queue.pending == 1
    queue.flush()
    assert new.records == framed(b"a")


def test_look_may_replace_the_file(make):
    """The look before a store may put another file in the place of one that is gone; what waits goes there."""
    old, new = Storage(), Storage("second")
    queue = make(old, look=lambda: queue.replace_file(new))
    queue.put(b"a")
    queue.flush()
    assert (old.records, new.records) == (b"", framed(b"a"))


def test_nothing_held_nothing_looked_at(make):
    """A flush with nothing to store leaves the file alone."""
    looks = []
    queue = make(Storage(), look=lambda: looks.append(1))
    queue.flush()
    assert looks == []


def test_paused(make):
    """No store is under way while the file is lent out, and who won't wait for one is told so."""
    storage = Storage()
    queue = make(storage)
    queue.put(b"a")
    storage.open.clear()
    flusher = threading.Thread(target=queue.flush)
    flusher.start()
    storage.begun.wait()
    with queue.paused(0.0) as lent:
        assert not lent
    storage.open.set()
    flusher.join()
    with queue.paused() as lent:
        assert lent


def test_times_out(make):
    """A storage that does not answer keeps neither flush nor stop waiting for longer than they are told to."""
    storage = Storage()
    queue = make(storage)
    storage.open.clear()
    queue.put(b"a")
    with pytest.raises(TimeoutError, match="did not answer within"):
        queue.flush(0.02)
    queue.stop(0.02)
    assert queue.pending == 1


def test_no_bound(make):
    """With ``max_queue`` 0 nothing waits behind a store."""
    storage = Storage()
    queue = make(storage, max_queue=0)
    queue.put(b"a")
    storage.open.clear()
    flusher = threading.Thread(target=queue.flush)
    flusher.start()
    storage.begun.wait()
    for _ in range(100):
        queue.put(b"b")
    assert queue.pending == 101
    storage.open.set()
    flusher.join()

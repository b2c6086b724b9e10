"""Faults as short programs, each for the stock writer and for ours, and what is left of what they wrote.

A program notes outside of the log directory each add that returned, so that the note survives its end. The tests judge
ours; ``benchmarks/faults.py`` runs both and makes the table of ``docs/landing.md``.
"""

import collections
import glob
import os
import re
import textwrap

import tensorflow.compat.v1 as tf

_PRELUDE = """
import contextlib, glob, os, resource, shutil, signal, sys, threading, time
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
if sys.argv[1] == "ours":
    from safewriter import SafeFileWriter as Writer
else:
    Writer = tf.summary.FileWriter

def write(writer, number):
    value = tf.Summary.Value(tag=f"number/{os.getpid()}", simple_value=number)
    writer.add_summary(tf.Summary(value=[value]), number)
"""

_PRELUDE_V2 = """
import contextlib, glob, os, resource, shutil, signal, sys, threading, time
import tensorflow as tf
if sys.argv[1] == "ours":
    from safewriter import create_file_writer as Writer
else:
    Writer = tf.summary.create_file_writer

default = threading.local()

def write(writer, number):
    if in_block:
        tf.summary.write(f"number/{os.getpid()}", float(number), step=number)
        return
    if getattr(default, "writer", None) is not writer:
        default.writer = writer
        writer.set_as_default()
    tf.summary.write(f"number/{os.getpid()}", float(number), step=number)

in_block = False
"""

_COMMON = """
noted = os.open("accepted", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
logs = sys.argv[2] if len(sys.argv) > 2 else "logs"

def add(writer, number):
    write(writer, number)
    os.write(noted, b"%d\\n" % number)

def add_all(writer, start, stop):
    for number in range(start, stop):
        add(writer, number)

def try_all(writer, start, stop):
    for number in range(start, stop):
        try:
            add(writer, number)
        except Exception as error:
            os.write(2, f"raised {type(error).__name__} {getattr(error, 'errno', None)}\\n".encode())

def event_file():
    return sorted(glob.glob(f"{logs}/*tfevents*"))[-1]

def fill():
    with open(f"{logs}/../ballast", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))

def free():
    os.unlink(f"{logs}/../ballast")

def wait_for(children):
    for child in children:
        os.waitpid(child, 0)
"""

#: name: (what happens, program). Those whose name ends with ``_disk`` need a small disk below the log directory.
PROGRAMS = {
    "sigkill": (
        "SIGKILL after the last of 200 adds",
        "writer = Writer(logs)\nadd_all(writer, 0, 200)\nos.kill(os.getpid(), 9)",
    ),
    "sigterm": ("SIGTERM", "writer = Writer(logs)\nadd_all(writer, 0, 200)\nos.kill(os.getpid(), 15)\ntime.sleep(5)"),
    "os_exit": ("`os._exit`", "writer = Writer(logs)\nadd_all(writer, 0, 200)\nos._exit(3)"),
    "abort": ("`os.abort`", "writer = Writer(logs)\nadd_all(writer, 0, 200)\nos.abort()"),
    "reader_looks": (
        "a reader looks while the loop is busy elsewhere",
        """
        writer = Writer(logs)
        add_all(writer, 0, 200)
        shutil.copytree(logs, "seen")
        logs = "seen"
        os._exit(0)
        """,
    ),
    "never_closed": ("neither flushed nor closed, normal end", "writer = Writer(logs)\nadd_all(writer, 0, 200)"),
    "exception": (
        "an exception in the loop",
        "writer = Writer(logs)\nadd_all(writer, 0, 200)\nraise KeyError('the program fails')",
    ),
    "sys_exit": ("`sys.exit` in the loop", "writer = Writer(logs)\nadd_all(writer, 0, 200)\nsys.exit(4)"),
    "ctrl_c": (
        "Ctrl-C in the loop",
        "writer = Writer(logs)\nadd_all(writer, 0, 200)\nos.kill(os.getpid(), 2)\ntime.sleep(5)",
    ),
    "fork_child_writes": (
        "a forked child writes",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        child = os.fork()
        if child == 0:
            add_all(writer, 100, 200)
            os._exit(0)
        wait_for([child])
        add_all(writer, 200, 300)
        writer.close()
        """,
    ),
    "fork_child_exits": (
        "a forked child ends through Python",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        child = os.fork()
        if child == 0:
            sys.exit(0)
        wait_for([child])
        add_all(writer, 100, 200)
        writer.close()
        """,
    ),
    "fork_beside_threads": (
        "forked children write while other threads of the parent do",
        """
        writer = Writer(logs)
        busy = [True]

        def add_on(rank):
            number = 10000 * rank
            while busy and number < 10000 * rank + 5000:
                add(writer, number)
                number += 1

        threads = [threading.Thread(target=add_on, args=(rank,)) for rank in (1, 2)]
        for thread in threads:
            thread.start()
        for turn in range(8):
            child = os.fork()
            if child == 0:
                add_all(writer, 100 * turn, 100 * turn + 5)
                os._exit(0)
            wait_for([child])
        busy.clear()
        for thread in threads:
            thread.join()
        writer.close()
        """,
    ),
    "file_removed": (
        "the event file is removed",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        os.unlink(event_file())
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "directory_removed": (
        "the log directory is removed",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        shutil.rmtree(logs)
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "directory_moved": (
        "the log directory is moved",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        os.rename(logs, logs + ".moved")
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "directory_replaced": (
        "the log directory is replaced by a file",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        shutil.rmtree(logs)
        open(logs, "w").close()
        writer.flush()
        try_all(writer, 100, 150)
        os.unlink(logs)
        try_all(writer, 150, 200)
        writer.close()
        """,
    ),
    "file_renamed": (
        "the event file is renamed, in its directory",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        os.rename(event_file(), event_file() + ".1")
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "file_truncated": (
        "the event file is truncated",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        os.truncate(event_file(), 1000)
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "file_replaced": (
        "the event file is replaced by an older copy",
        """
        writer = Writer(logs)
        add_all(writer, 0, 50)
        writer.flush()
        shutil.copy(event_file(), "copy")
        add_all(writer, 50, 100)
        writer.flush()
        os.rename("copy", event_file())
        add_all(writer, 100, 101)
        writer.flush()
        add_all(writer, 101, 200)
        writer.close()
        """,
    ),
    "noticed_by_adds": (
        "the directory is removed; no flush follows, adds do",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        writer.flush()
        shutil.rmtree(logs)
        for number in range(100, 250):
            add(writer, number)
            time.sleep(0.01)
        os.kill(os.getpid(), 9)
        """,
    ),
    "full_disk": (
        "the disk is full, once, and has space again",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        fill()
        try_all(writer, 100, 300)
        with contextlib.suppress(Exception):
            writer.flush()
        free()
        try_all(writer, 300, 400)
        with contextlib.suppress(Exception):
            writer.close()
        """,
    ),
    "full_for_ever_disk": (
        "the disk is full, for ever",
        """
        writer = Writer(logs)
        add_all(writer, 0, 100)
        fill()
        try_all(writer, 100, 300)
        with contextlib.suppress(Exception):
            writer.flush()
        try_all(writer, 300, 400)
        with contextlib.suppress(Exception):
            writer.close()
        """,
    ),
    "size_limit": (
        "a limit on the size of files (`ulimit -f`)",
        """
        writer = Writer(logs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
        try_all(writer, 0, 200)
        with contextlib.suppress(Exception):
            writer.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        try_all(writer, 200, 300)
        with contextlib.suppress(Exception):
            writer.close()
        """,
    ),
    "one_after_the_other": (
        "20 writers in one second, one after the other",
        """
        for writer in range(20):
            with contextlib.closing(Writer(logs)) as one:
                add_all(one, 10 * writer, 10 * writer + 10)
        """,
    ),
    "at_once": (
        "8 writers in one second, at once",
        """
        writers = [Writer(logs) for _ in range(8)]
        for number in range(200):
            add(writers[number % 8], number)
        for writer in writers:
            writer.close()
        """,
    ),
    "in_processes": (
        "4 processes that write into one directory",
        """
        def child(rank):
            with contextlib.closing(Writer(logs)) as writer:
                add_all(writer, 100 * rank, 100 * rank + 100)

        children = []
        for rank in range(4):
            children.append(os.fork())
            if children[-1] == 0:
                child(rank)
                os._exit(0)
        wait_for(children)
        """,
    ),
    "reopen_in_a_loop": (
        "`reopen()` in a loop",
        """
        writer = Writer(logs)
        for turn in range(30):
            add_all(writer, 10 * turn, 10 * turn + 10)
            writer.close()
            writer.reopen()
        writer.close()
        """,
    ),
    "threads": (
        "16 threads add, others flush and reopen",
        """
        writer = Writer(logs)
        busy = True

        def disturb():
            while busy:
                writer.flush()
                writer.reopen()
                time.sleep(0.002)

        def adds(rank):
            for number in range(100 * rank, 100 * rank + 100):
                add(writer, number)

        threads = [threading.Thread(target=adds, args=(rank,)) for rank in range(16)]
        other = threading.Thread(target=disturb)
        for thread in [*threads, other]:
            thread.start()
        for thread in threads:
            thread.join()
        busy = False
        other.join()
        writer.close()
        """,
    ),
    "threads_and_close": (
        "the same, and close in between: an add to a closed writer is dropped, as ever, and counted",
        """
        writer = Writer(logs)
        busy = True

        def disturb():
            while busy:
                writer.flush()
                writer.close()
                writer.reopen()
                time.sleep(0.002)

        def adds(rank):
            for number in range(100 * rank, 100 * rank + 100):
                add(writer, number)

        import warnings
        warnings.filterwarnings("ignore", message="Attempting to use a closed")  # TensorFlow says so
        threads = [threading.Thread(target=adds, args=(rank,)) for rank in range(16)]
        other = threading.Thread(target=disturb)
        for thread in [*threads, other]:
            thread.start()
        for thread in threads:
            thread.join()
        busy = False
        other.join()
        writer.close()
        """,
    ),
    "handler_flushes": (
        "a signal handler flushes, adds and closes, in the middle of adds",
        """
        writer = Writer(logs)
        number = [100000]

        def handler(*_):
            began = time.monotonic()
            number[0] += 1
            add(writer, number[0])
            writer.flush()
            # Leaves the loop twice as long: on a busy machine it would else come to nothing between two signals.
            signal.setitimer(signal.ITIMER_REAL, 0.002 + 2 * (time.monotonic() - began))

        add(writer, 0)  # TensorFlow's own lock around the first number that it converts is not for handlers
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        add_all(writer, 1, 2000)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

        def end(*_):
            writer.close()
            sys.exit(0)

        signal.signal(signal.SIGTERM, end)
        threading.Timer(0.1, os.kill, (os.getpid(), 15)).start()
        add_all(writer, 3000, 10**6)
        """,
    ),
    "clock_jumps_back": (
        "the clock jumps back by a day",
        """
        now = time.time
        writer = Writer(logs)
        add_all(writer, 0, 100)
        time.time = lambda: now() - 86400
        writer.close()
        writer.reopen()
        add_all(writer, 100, 200)
        writer.close()
        """,
    ),
}

_FUNCTION = """
def traced(writer):
    @tf.function(autograph=False)
    def function(number):
        with writer.as_default():
            tf.summary.write("number", tf.cast(number, tf.float32), step=number)

    return function

def call_all(function, start, stop):
    for number in range(start, stop):
        function(tf.constant(number, tf.int64))
        os.write(noted, b"%d\\n" % number)
"""

#: What else happens to TF2's writers.
OF_TF2 = {
    # A fork while another thread is within TensorFlow leaves a lock of the eager runtime held in the child, for ever.
    "fork_beside_threads": (
        "forked children write between the adds of the parent's other threads",
        """
        writer = Writer(logs)
        busy = [True]
        adding = threading.Lock()

        def add_on(rank):
            number = 10000 * rank
            while busy and number < 10000 * rank + 5000:
                with adding:
                    add(writer, number)
                number += 1

        threads = [threading.Thread(target=add_on, args=(rank,)) for rank in (1, 2)]
        for thread in threads:
            thread.start()
        for turn in range(8):
            with adding:
                child = os.fork()
            if child == 0:
                add_all(writer, 100 * turn, 100 * turn + 5)
                os._exit(0)
            wait_for([child])
        busy.clear()
        for thread in threads:
            thread.join()
        writer.close()
        """,
    ),
    "fork_in_a_block": (
        "a child that is forked within `as_default()` writes",
        """
        writer = Writer(logs)
        in_block = True
        with writer.as_default():
            add_all(writer, 0, 100)
            child = os.fork()
            if child == 0:
                add_all(writer, 100, 200)
                os._exit(0)
            wait_for([child])
            add_all(writer, 200, 300)
        writer.close()
        """,
    ),
    "removed_under_a_function": (
        "the log directory is removed under a `tf.function` that holds the writer",
        _FUNCTION
        + """
writer = Writer(logs)
function = traced(writer)
call_all(function, 0, 100)
writer.flush()
shutil.rmtree(logs)
call_all(function, 100, 101)
writer.flush()
call_all(function, 101, 200)
writer.close()
""",
    ),
    "removed_among_threads": (
        "the event file is removed while four threads write",
        """
        writer = Writer(logs)
        in_block = True
        ready = threading.Barrier(5)

        def adds(rank):
            with writer.as_default():
                add_all(writer, 1000 * rank, 1000 * rank + 50)
                ready.wait()
                ready.wait()
                add_all(writer, 1000 * rank + 50, 1000 * rank + 300)

        threads = [threading.Thread(target=adds, args=(rank,)) for rank in range(4)]
        for thread in threads:
            thread.start()
        ready.wait()
        os.unlink(event_file())
        ready.wait()
        for _ in range(50):
            writer.flush()
            time.sleep(0.005)
        for thread in threads:
            thread.join()
        writer.close()
        """,
    ),
    "collected": (
        "the writer is dropped, and a `tf.function` that was traced under it goes on",
        """
        import gc

        @tf.function(autograph=False)
        def function(number):
            tf.summary.write("number", tf.cast(number, tf.float32), step=number)

        def call_all(start, stop):
            for number in range(start, stop):
                try:
                    function(tf.constant(number, tf.int64))
                    os.write(noted, b"%d\\n" % number)
                except tf.errors.NotFoundError as error:
                    os.write(2, b"raised NotFoundError\\n")

        with Writer(logs).as_default():
            call_all(0, 100)
        gc.collect()
        call_all(100, 200)
        """,
    ),
    "big_on_a_full_disk": (
        "events of 9 kB on a full disk",
        """
        writer = Writer(logs)
        in_block = True
        with writer.as_default():
            add_all(writer, 0, 10)
            fill()
            for number in range(10, 30):
                try:
                    tf.summary.write("number", tf.fill([3000], float(number)), step=number)
                    os.write(noted, b"%d\\n" % number)
                except Exception as error:
                    os.write(2, b"raised\\n")
        free()
        writer.close()
        """,
    ),
}

#: Faults of both writers; TF2's have no ``reopen``.
OF_BOTH = [name for name, (_, text) in PROGRAMS.items() if "reopen" not in text]
PROGRAMS_OF_TF2 = {name: PROGRAMS[name] for name in OF_BOTH} | OF_TF2


def source(name, api="v1"):
    """The text of a program; it is given ``ours`` or ``stock``, and the log directory.

    Args:
        name: Of the program.
        api: ``v1`` or ``v2``: which of the two writers.
    """
    prelude, programs = (_PRELUDE_V2, PROGRAMS_OF_TF2) if api == "v2" else (_PRELUDE, PROGRAMS)
    return prelude + _COMMON + textwrap.dedent(programs[name][1])


def _number_of(value):
    return int(tf.make_ndarray(value.tensor).flat[0] if value.HasField("tensor") else value.simple_value)


class Left:
    """What a program left: what it accepted, and what TensorFlow's reader finds.

    Attributes:
        accepted: The numbers whose add returned.
        found: How often each number is found in the log directory.
        torn: Files that can't be read to their end.
        files: All event files.
    """

    def __init__(self, cwd, logs="logs"):
        with open(os.path.join(cwd, "accepted"), encoding="ascii") as file:
            self.accepted = {int(line) for line in file}
        self.found = collections.Counter()
        self.torn = []
        self.files = sorted(glob.glob(os.path.join(cwd, logs, "*tfevents*")))
        for path in self.files:
            try:
                for event in tf.train.summary_iterator(path):
                    self.found.update(map(_number_of, event.summary.value))
            except tf.errors.DataLossError:
                self.torn.append(path)

    @property
    def missing(self):
        """Accepted, and not found."""
        return self.accepted - set(self.found)

    @property
    def twice(self):
        """Found more than once."""
        return {number for number, count in self.found.items() if count > 1}


_FAILED = re.compile(r"([\d,]+) (?:add calls? failed|events? (?:was|were) refused or dropped)")
_WENT = re.compile(r"([\d,]+) of its [\d,]+ events? went with it")
_EARLIER = re.compile(r"With it went ([\d,]+) events?")
_DROPPED = re.compile(r"([\d,]+) events? that had been accepted did not reach")


def reported_lost(texts):
    """The events that messages say are lost."""
    numbers = [found for text in texts for form in (_WENT, _EARLIER, _DROPPED) for found in form.findall(text)]
    return sum(int(number.replace(",", "")) for number in numbers)


def reported_failed(texts):
    """The calls that messages say have failed."""
    return sum(int(found.replace(",", "")) for text in texts for found in _FAILED.findall(text))

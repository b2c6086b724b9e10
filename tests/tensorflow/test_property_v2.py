"""TF2's writer: whatever happens to its files, what TensorFlow took has landed, or was reported to be lost."""

import contextlib
import json
import os
import shutil
import tempfile
import warnings

import pytest
import tensorflow as tf
from disks import FullDisk
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from stories import only_if, read_numbers, reported_lost

from safewriter import create_file_writer
from safewriter.findings import CAPTURES

EXAMPLES = int(os.environ.get("SAFEWRITER_EXAMPLES", "60"))  # read here: a test does not see the environment
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="half of the rules are POSIX: fork, links, tmpfs")


class AnyFaultsOfTF2(RuleBasedStateMachine):
    """One TF2 writer, its forked children, and everything that may happen to its files in between."""

    disk = None  # set by the test, for all examples

    def __init__(self):
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.findings = self.stack.enter_context(CAPTURES.capture())
        self.base = tempfile.mkdtemp(dir=self.disk.path)
        self.stack.callback(shutil.rmtree, self.base, ignore_errors=True)
        self.stack.callback(self.disk.free)
        self.logdir = os.path.join(self.base, "logs")
        self.accepted, self.refused, self.of_children = [], [], []
        self.foreign = set()  # files of others' in the place of ours
        self.next = 1
        self.faulty = False  # the disk was full once, or what could not be read was cut off

    @initialize()
    def begin(self):
        self.disk.free()
        self.writer = create_file_writer(self.logdir)

        @tf.function(autograph=False)
        def function(number):
            for more in range(3):
                self.put(number + more)

        self.function = function

    # What a program does

    def put(self, number, size=0):
        tf.summary.write("number", tf.cast(number, tf.float32), step=number)
        if size:
            tf.summary.write("big", tf.zeros([size], tf.uint8), step=number)

    def takes(self, call, numbers):
        """Calls; where it raised, that must be for want of space, and the events are not accepted."""
        try:
            with self.writer.as_default():
                call()
        except (tf.errors.ResourceExhaustedError, tf.errors.UnknownError):
            if not self.disk.full:
                raise
            self.refused += numbers
        else:
            self.accepted += numbers

    def numbers(self, count):
        first, self.next = self.next, self.next + count
        return list(range(first, self.next))

    @rule(count=st.integers(1, 12))
    def write(self, count):
        with self.disk.in_force(self.current):
            for number in self.numbers(count):
                self.takes(lambda number=number: self.put(number), [number])

    @rule(size=st.integers(3_000, 30_000))
    def write_big(self, size):
        with self.disk.in_force(self.current):
            (number,) = self.numbers(1)
            self.takes(lambda: self.put(number, size), [number])

    @rule()
    def write_in_a_function(self):
        with self.disk.in_force(self.current):
            numbers = self.numbers(3)
            self.takes(lambda: self.function(tf.constant(numbers[0], tf.int64)), numbers)

    @property
    def current(self):
        return self.writer._events.backend.path

    @property
    def watched(self):
        current = self.writer._events.backend.files.current
        return not current.part.final and os.path.exists(current.part.path) and current.part.path not in self.foreign

    @rule()
    def flush(self):
        with self.disk.in_force(self.current), contextlib.suppress(tf.errors.OpError):
            self.writer.flush()
        self.compare()

    @rule()
    def the_watcher_looks(self):
        self.writer._events.look_aside()

    @rule(count=st.integers(0, 4), inside=st.booleans())
    @only_if(lambda self: not self.disk.full and os.path.isdir(self.logdir))
    def fork(self, count, inside):
        reading, writing = os.pipe()
        with contextlib.ExitStack() as stack, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, of forks beside TensorFlow's threads
            if inside:
                stack.enter_context(self.writer.as_default())
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    os.write(writing, json.dumps(self.in_child(count, inside)).encode())
                    status = 0
                finally:
                    os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = pipe.read()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        accepted, codes = json.loads(answer)
        assert ("SW505" in codes) == bool(count), codes
        self.of_children += accepted
        self.next += count

    def in_child(self, count, inside):
        del self.findings[:]
        numbers = self.numbers(count)
        with contextlib.nullcontext() if inside or not count else self.writer.as_default():
            for number in numbers:
                self.put(number)
        self.writer.report()
        assert reported_lost(self.findings) == 0
        return numbers, [finding.code for finding in self.findings]

    # What happens to it

    @rule()
    def fill_the_disk(self):
        self.faulty = True
        self.disk.fill()

    @rule()
    def free_the_disk(self):
        self.disk.free()

    @rule()
    @only_if(lambda self: self.watched)
    def remove_file(self):
        os.unlink(self.current)

    @rule(part=st.floats(0, 1), then=st.integers(0, 3))
    @only_if(lambda self: self.watched)
    def truncate_file(self, part, then):
        self.writer.report()  # what nobody has seen yet can't be counted
        os.truncate(self.current, int(os.path.getsize(self.current) * part))
        self.write(then)

    @rule(stays=st.booleans())
    @only_if(lambda self: self.watched)
    def rename_file(self, stays):
        os.rename(self.current, self.current + ".old" if stays else tempfile.mktemp(dir=self.base))

    @rule(part=st.floats(0, 1), true_copy=st.booleans())
    @only_if(lambda self: self.watched and not self.disk.full)
    def replace_file(self, part, true_copy):
        with open(self.current, "rb") as file:
            content = file.read()
        away = tempfile.mktemp(dir=self.base)
        with open(away, "wb") as file:
            file.write(content[: int(len(content) * part)] if true_copy else b"something else")
        os.rename(away, self.current)
        self.foreign.add(self.current)

    @rule()
    @only_if(lambda self: os.path.isdir(self.logdir) and self.watched and self.all_in_one())
    def remove_directory(self):
        shutil.rmtree(self.logdir)
        self.of_children = []

    @rule(file_there=st.booleans())
    @only_if(lambda self: os.path.isdir(self.logdir) and self.watched and self.all_in_one())
    def move_directory(self, file_there):
        os.rename(self.logdir, tempfile.mktemp(dir=self.base))
        if file_there:
            os.close(os.open(self.logdir, os.O_CREAT))
        self.of_children = []

    def all_in_one(self):
        """Whether no finished file is there: what becomes of those is not the writer's to tell."""
        files = self.writer._events.backend.files
        return not files.rescued and all(not file.part.final or not file.part.landed for file in files.all)

    @rule()
    @only_if(lambda self: os.path.isfile(self.logdir))
    def make_way(self):
        os.unlink(self.logdir)

    # What must hold

    def compare(self, *, closed=False):
        report = self.writer.report()
        assert report.events == report.landed + report.lost + report.pending
        assert not closed or report.pending == 0
        whole = closed and not self.disk.full  # else what is behind a torn record can't be copied, and is left there
        ours = {file.path for file in report.files} - self.foreign if whole else set()
        found = read_numbers(self.logdir, ours, set())
        assert set(found) <= {*self.accepted, *self.refused, *self.of_children}, "never written"
        if closed:
            mine = set(found) & set(self.accepted)
            assert max(found.values(), default=0) <= 1, "written twice"
            # TensorFlow raises for some events that it can't write, and drops others.
            failed = sum(each.data["failed_calls"] for each in self.findings if each.code == "SW502")
            assert len(mine) >= len(self.accepted) - reported_lost(self.findings) - failed, "lost silently"
            assert self.faulty or not failed

    def teardown(self):
        try:
            with self.disk.in_force(self.current), contextlib.suppress(tf.errors.OpError):
                self.writer.close()
            self.compare(closed=True)
        finally:
            self.stack.close()


def test_what_was_taken_is_landed_or_reported(tmp_path):
    """Through any sequence of writes, flushes, forks and faults, each event is read back or reported lost."""
    AnyFaultsOfTF2.disk = FullDisk(str(tmp_path / "disk"))
    try:
        run_state_machine_as_test(
            AnyFaultsOfTF2,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        AnyFaultsOfTF2.disk.close()

"""Whatever happens to the files: what was accepted has landed, or was reported to be lost."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
import warnings

import pytest
import tensorflow.compat.v1 as tf
from disks import FullDisk
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from stories import only_if, read_numbers, reported_lost

from safewriter import SafeFileWriter
from safewriter.findings import CAPTURES
from safewriter.recording.queued import QueuedBackend

EXAMPLES = int(os.environ.get("SAFEWRITER_EXAMPLES", "100"))  # read here: a test does not see the environment
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="half of the rules are POSIX: fork, links, tmpfs")


class AnyFaults(RuleBasedStateMachine):
    """One writer, its forked children, and everything that may happen to their files in between."""

    disk = None  # set by the test, for all examples

    def __init__(self):
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.findings = self.stack.enter_context(CAPTURES.capture())
        self.base = tempfile.mkdtemp(dir=self.disk.path)
        self.stack.callback(shutil.rmtree, self.base, ignore_errors=True)
        self.stack.callback(self.disk.free)
        self.logdir = os.path.join(self.base, "logs")
        self.away = os.path.join(self.base, "away")
        self.accepted = []
        self.of_children = []
        self.foreign = set()  # files of others' in the place of ours
        self.next = 1
        self.open = False
        self.faulty = False  # something happened that the writer has not looked for yet
        self.slow = contextlib.ExitStack()
        self.stack.enter_context(self.slow)

    @initialize(slow=st.booleans())
    def begin(self, slow):
        self.disk.free()
        self.writer = SafeFileWriter(self.logdir, flush_secs=3)
        self.open = True
        if slow:
            self.storage_turns_slow()

    # What a program does

    def summary(self):
        number, self.next = self.next, self.next + 1
        value = tf.Summary.Value(tag="number", simple_value=number)
        return number, tf.Summary(value=[value])

    def add_one(self):
        number, summary = self.summary()
        if self.succeeds(lambda: self.writer.add_summary(summary, number)):
            self.accepted.append(number)

    def succeeds(self, call):
        """Whether a call returned; where it raised, that must be with an errno that fits what happened."""
        try:
            call()
        except OSError as error:
            if error.errno not in self.errnos():
                raise
            return False
        return True

    def errnos(self):
        possible = set()
        queued = isinstance(
            self.writer.event_writer.backend, QueuedBackend
        )  # a queue tries again each second, and fails until then
        if self.disk.full or queued:
            possible |= self.disk.errnos
        if os.path.isfile(self.logdir) or queued:
            possible.add(errno.ENOTDIR)
        return possible

    def in_force(self):
        return self.disk.in_force(self.current)

    @property
    def current(self):
        return self.writer.event_writer.backend.path

    @property
    def watched(self):
        """Whether there is a file that is being written: what becomes of finished ones is not the writer's to tell."""
        current = self.writer.event_writer.backend._files._current
        return self.open and current is not None and not current.file.torn and os.path.exists(current.file.path)

    @rule(count=st.integers(1, 12))
    @only_if(lambda self: self.open)
    def add(self, count):
        with self.in_force():
            for _ in range(count):
                self.add_one()

    @rule(size=st.integers(5_000, 30_000))
    @only_if(lambda self: self.open)
    def add_big(self, size):
        with self.in_force():
            number, summary = self.summary()
            summary.value.add(tag="big").image.encoded_image_string = bytes(size)
            if self.succeeds(lambda: self.writer.add_summary(summary, number)):
                self.accepted.append(number)

    @rule()
    @only_if(lambda self: self.open)
    def flush(self):
        with self.in_force():
            assert not self.succeeds(self.writer.flush) or self.writer.report().pending == 0
        self.faulty = False
        self.compare()

    @rule()
    @only_if(lambda self: self.open)
    def close(self):
        with self.in_force():
            self.writer.close()
        self.open = False
        self.faulty = False
        self.compare()
        report = self.writer.report()
        assert report.events == report.landed + report.lost

    @rule()
    @only_if(lambda self: not self.open)
    def reopen(self):
        with self.in_force():
            self.open = self.succeeds(self.writer.reopen)

    @rule(count=st.integers(0, 4), ends=st.sampled_from(["exits", "flushes", "closes"]))
    @only_if(lambda self: self.open)
    def fork(self, count, ends):
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside TensorFlow's threads
            child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(writing, json.dumps(self.in_child(count, ends)).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = pipe.read()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        accepted, codes = json.loads(answer)
        assert "SW505" in codes or not accepted, codes
        self.of_children += accepted
        self.next += count
        self.compare()

    def in_child(self, count, ends):
        del self.findings[:]
        self.accepted = []
        with self.in_force():
            for _ in range(count):
                self.add_one()
            with contextlib.suppress(OSError):
                if ends == "flushes":
                    self.writer.flush()
                elif ends == "closes":
                    self.writer.close()
        assert reported_lost(self.findings) == 0
        pending = self.writer.report().pending if self.open else 0  # what slow storage puts at stake
        return self.accepted[: len(self.accepted) - pending], [finding.code for finding in self.findings]

    # What happens to it

    @rule()
    def storage_turns_slow(self):
        write = os.write

        def slow_write(*arguments):
            time.sleep(0.002)
            return write(*arguments)

        self.slow.close()
        patch = pytest.MonkeyPatch()
        patch.setattr(os, "write", slow_write)
        self.slow.callback(patch.undo)

    @rule()
    def storage_turns_quick(self):
        self.slow.close()

    @rule()
    def fill_the_disk(self):
        self.disk.fill()

    @rule()
    def free_the_disk(self):
        self.disk.free()

    @rule()
    @only_if(lambda self: self.watched)
    def remove_file(self):
        os.unlink(self.current)
        self.faulty = True

    @rule(part=st.floats(0, 1))
    @only_if(lambda self: self.watched)
    def truncate_file(self, part):
        os.truncate(self.current, int(os.path.getsize(self.current) * part))
        self.faulty = True

    @rule(stays=st.booleans())
    @only_if(lambda self: self.watched and self.current not in self.foreign)
    def rename_file(self, stays):
        os.rename(self.current, self.current + ".old" if stays else self.away)
        self.faulty = True

    @rule(part=st.floats(0, 1), true_copy=st.booleans())
    @only_if(lambda self: self.watched and not self.disk.full)
    def replace_file(self, part, true_copy):
        with open(self.current, "rb") as file:
            content = file.read()
        with open(self.away, "wb") as file:
            file.write(content[: int(len(content) * part)] if true_copy else b"something else")
        os.rename(self.away, self.current)
        self.foreign.add(self.current)
        self.faulty = True

    @rule()
    @only_if(lambda self: self.open and os.path.isdir(self.logdir))
    def remove_directory(self):
        shutil.rmtree(self.logdir)
        self.of_children = []
        self.faulty = True

    @rule(file_there=st.booleans())
    @only_if(lambda self: self.open and os.path.isdir(self.logdir))
    def move_directory(self, file_there):
        os.rename(self.logdir, tempfile.mktemp(dir=self.base))
        if file_there:
            os.close(os.open(self.logdir, os.O_CREAT))
        self.of_children = []
        self.faulty = True

    @rule()
    @only_if(lambda self: os.path.isfile(self.logdir))
    def make_way(self):
        os.unlink(self.logdir)

    # What must hold

    def compare(self):
        if self.faulty:
            return
        pending = self.writer.report().pending
        ours = {file.path for file in self.writer.report().files} - self.foreign
        found = read_numbers(self.logdir, ours, self.foreign)
        if pending != self.writer.report().pending:
            return  # a store came in between
        assert max(found.values(), default=0) <= 1, "written twice"
        mine = [number for number in found if number in set(self.accepted)]
        assert set(found) <= set(self.accepted) | set(self.of_children), "never accepted"
        assert set(self.of_children) <= set(found), "a child's"
        assert len(mine) == len(self.accepted) - reported_lost(self.findings) - pending

    def teardown(self):
        try:
            self.close()
        finally:
            self.stack.close()


def test_accepted_is_landed_or_reported(tmp_path, graph):
    """Through any sequence of adds, flushes, forks and faults, each accepted event is read back or reported lost."""
    AnyFaults.disk = FullDisk(str(tmp_path / "disk"))
    try:
        run_state_machine_as_test(
            AnyFaults,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        AnyFaults.disk.close()

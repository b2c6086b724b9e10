"""What the audit says of one file: its facts, its findings, and what it does with files that can't be read."""

import io
import itertools
import os
import pickle
import struct
import subprocess
import sys
import threading

import pytest
from hypothesis import given, strategies as st

import safewriter.eventfile.read as reading
from safewriter.audit import AuditReport, audit_file
from safewriter.audit.reading import FileAuditor
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import FOOTER, record_of

NAN = float("nan")
NAME = "events.out.tfevents.1700000000.host"


def record(event):
    return record_of(event.SerializeToString())


def version(wall_time=1.0):
    return record(Event(wall_time=wall_time, file_version="brain.Event:2"))


def scalar(step, number=1.0, tag="loss", wall_time=None):
    event = Event(wall_time=10.0 + step if wall_time is None else wall_time, step=step)
    event.summary.value.add(tag=tag, simple_value=number)
    return record(event)


def sound(steps=10):
    return [version(), *(scalar(step) for step in range(steps))]


@pytest.fixture
def audit(tmp_path):
    """Audits a file with these bytes; gives the report."""

    def of(*pieces, name=NAME):
        path = tmp_path / name
        path.write_bytes(b"".join(pieces))
        os.utime(path, (0, 0))  # an old file: nobody is writing it
        return audit_file(path)

    return of


def codes(report):
    return [finding.code for finding in report.findings]


class TestFacts:
    def test_a_sound_file(self, audit):
        """Everything that is in a file is counted, and nothing is wrong with it."""
        start = record(Event(session_log={"status": 1}, step=0))
        report = audit(version(), record(Event(graph_def=b"graph")), start, *sound(5)[1:], scalar(3, tag="accuracy"))
        assert codes(report) == []
        (facts,) = report.files
        assert (facts.events, facts.summaries, facts.graphs, facts.versions, facts.starts) == (9, 6, 1, 1, (0,))
        assert (facts.begins, facts.first_time, facts.last_time, facts.shown) == ("version", 1.0, 13.0, 9)
        assert (facts.complete, facts.being_written, facts.error) == (True, False, None)
        loss = facts.tags["loss"]
        assert (loss.kind, loss.count, loss.first_step, loss.last_step) == ("scalar", 5, 0, 4)
        assert (loss.first_time, loss.last_time, loss.not_finite) == (10.0, 14.0, 0)
        assert (report.bytes, report.events, report.summaries) == (facts.bytes, 9, 6)

    def test_steps_that_go_up_and_down(self, audit):
        """The lowest and highest steps are known, whatever the order."""
        report = audit(version(), *(scalar(step) for step in (5, 900, 901, 3, 4, 70000, 2, 6)))
        loss = report.files[0].tags["loss"]
        assert (loss.first_step, loss.last_step, loss.lowest_step, loss.highest_step) == (5, 6, 2, 70000)

    def test_pickles(self, audit):
        """A report survives the way to another process."""
        report = audit(*sound(), scalar(3, NAN))
        assert report.findings  # worked out before
        again = pickle.loads(pickle.dumps(report))
        assert (again, again.findings) == (report, report.findings)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["loss", "b", "", "löss", "x" * 200]),
                st.one_of(st.integers(-3, 300), st.sampled_from([2**14, 2**21, 2**28 - 1, 2**28, 2**40, -(2**63)])),
                st.floats(width=32),
                st.sampled_from(
                    ["scalar", "scalar", "scalar", "two", "metadata", "node", "late", "histogram", "start"]
                ),
            ),
            max_size=60,
        )
    )
    def test_the_fast_way_and_the_slow_one(self, writes):
        """Events that are not parsed again are judged as if they were."""
        events = []
        for index, (tag, step, number, shape) in enumerate(writes):
            event = Event(wall_time=index, step=step)
            value = event.summary.value.add(tag=tag)
            if shape == "histogram":
                value.histo.sum = number
            else:
                value.simple_value = number
            if shape == "two":
                event.summary.value.add(tag="second", simple_value=1.0)
            elif shape == "metadata":
                value.metadata.plugin_data.plugin_name = "scalars"
            elif shape == "node":
                value.node_name = "node"
            elif shape == "start":
                event.session_log.status = 1
            data = event.SerializeToString()
            # Fields may stand in another order, and unknown ones behind them.
            events.append(data + b"\xfa\x3f\x01x" if shape == "late" else data)
        content = version() + b"".join(record_of(data) for data in events)
        fast, slow = _Bytes("file", content), _Bytes("file", content)
        slow._remember = lambda *_: None
        assert repr(fast.facts_of_all()) == repr(slow.facts_of_all())

    @given(st.binary(max_size=60), st.integers(0, 2**35))
    def test_the_fast_way_takes_only_what_it_knows(self, junk, step):
        """Bytes that only look like a known event are parsed as what they are."""
        known = Event(wall_time=1.0, step=step)
        known.summary.value.add(tag="loss", simple_value=1.0)
        data = known.SerializeToString()
        others = [data[:9] + junk + data[9:], junk + data, data + junk, data[: len(data) // 2] + junk, junk]
        content = version() + b"".join(record_of(each) for each in (data, data, *others, data))
        fast, slow = _Bytes("file", content), _Bytes("file", content)
        slow._remember = lambda *_: None
        assert repr(fast.facts_of_all()) == repr(slow.facts_of_all())


class _Bytes(FileAuditor):
    """An auditor of bytes that are in no file."""

    def __init__(self, path, content):
        super().__init__(path)
        self._content = content

    def facts_of_all(self):
        list(self.read_from(io.BytesIO(self._content)))
        return self.facts()


class TestPoints:
    """Some values of each scalar, for its chart."""

    @pytest.mark.parametrize("count", [1, 5, 32, 64, 65, 1000, 9999])
    def test_spread_evenly(self, tmp_path, count):
        """The first is kept, the distances are equal, and there are enough and not too many."""
        path = tmp_path / NAME
        path.write_bytes(version() + b"".join(scalar(step, float(step)) for step in range(count)))
        points = audit_file(path, points=32).files[0].tags["loss"].points
        assert points[0] == 0.0
        assert min(count, 32) <= len(points) <= 64
        assert len({after - before for before, after in itertools.pairwise(points)}) <= 1
        assert points[-1] + max((points[1] - points[0]) if count > 1 else 0, 1) >= count

    @pytest.mark.parametrize(
        "tensor",
        [
            {"dtype": 1, "float_val": [0.5]},
            {"dtype": 1, "tensor_content": struct.pack("<f", 0.5)},
            {"dtype": 2, "double_val": [0.5]},
            {"dtype": 2, "tensor_content": struct.pack("<d", 0.5)},
        ],
    )
    def test_scalars_in_tensors(self, tf, tmp_path, tensor):
        """Scalars as ``tf.summary`` encodes them have points too."""
        event = Event(step=1)
        value = event.summary.value.add(tag="loss", tensor=tensor)
        value.metadata.plugin_data.plugin_name = "scalars"
        (tmp_path / NAME).write_bytes(version() + record(event))
        assert audit_file(tmp_path / NAME, points=32).files[0].tags["loss"].points == (0.5,)

    def test_none_that_are_not_finite(self, tmp_path):
        """NaN, and scalars in encodings that are not read, have none."""
        odd = Event(step=1)
        odd.summary.value.add(tag="odd", tensor={"dtype": 14}).metadata.plugin_data.plugin_name = "scalars"
        (tmp_path / NAME).write_bytes(version() + scalar(0, NAN) + scalar(1, 2.0) + scalar(2, NAN) + record(odd))
        tags = audit_file(tmp_path / NAME, points=32).files[0].tags
        assert (tags["loss"].points, tags["odd"].points) == ((2.0,), ())


class TestDamage:
    def test_torn(self, audit):
        """SW601: a file that ends inside a record, with the place and the events before it."""
        pieces = sound()
        report = audit(*pieces, scalar(10)[:-7])
        (finding,) = report.findings
        offset = sum(map(len, pieces))
        assert (finding.code, finding.data["offset"], finding.data["events_before"]) == ("SW601", offset, 11)
        assert f"from byte {offset:,} on" in finding.message
        assert "The 11 events before it are whole" in finding.message

    def test_torn_in_the_version_record(self, audit):
        """A file that holds only the beginning of its first record is torn, not something other."""
        assert codes(audit(version()[:20])) == codes(audit(version()[:5])) == ["SW601"]

    @pytest.mark.parametrize(
        ("where", "reason"), [(2, "the checksum of its length"), (9, "the checksum of its length"), (30, "its data")]
    )
    def test_corrupt(self, audit, where, reason):
        """SW602: the place, what is wrong, how many events TensorBoard shows and how many it does not."""
        pieces = sound()
        offset = sum(map(len, pieces[:4]))
        content = bytearray(b"".join(pieces))
        content[offset + where] ^= 1
        (finding,) = audit(bytes(content)).findings
        assert finding.code == "SW602"
        assert f"at byte {offset:,}" in finding.message
        assert reason in finding.message
        assert "shows the 4 events before it and none of the 6 whole events behind it" in finding.message
        assert (finding.data["events_before"], finding.data["events_hidden"]) == (4, 6)
        assert finding.data["places"] == [
            {"offset": offset, "bytes": len(pieces[4]), "reason": finding.data["places"][0]["reason"]}
        ]
        assert "safewriter repair" in finding.hint

    def test_several_places(self, audit):
        """All damaged places of a file are one finding, counted."""
        pieces = sound()
        (finding,) = audit(*pieces[:3], b"?" * 20, *pieces[3:6], b"!" * 30, *pieces[6:]).findings
        assert (finding.count, finding.data["bytes_skipped"]) == (2, 50)
        assert finding.message.startswith("2 places are damaged; the first is")

    def test_zeros(self, audit):
        """A hole of zeros is called so, with what usually leaves one."""
        pieces = sound()
        (finding,) = audit(*pieces[:3], bytes(500), *pieces[3:]).findings
        assert "zeros where a record should start" in finding.message
        assert "two stock writers" in finding.hint

    def test_a_record_without_an_event(self, audit):
        """A record with correct checksums that holds no event is damage, with its place."""
        pieces = sound()
        (finding,) = audit(*pieces[:3], record_of(b"\xff" * 9), *pieces[3:]).findings
        assert (finding.code, finding.data["offset"]) == ("SW602", sum(map(len, pieces[:3])))
        assert (finding.data["events_before"], finding.data["events_hidden"]) == (3, 8)

    def test_the_first_record_damaged(self, audit):
        """Damage at the very beginning is damage; the file is an event file all the same."""
        content = bytearray(b"".join(sound()))
        content[3] ^= 1
        (finding,) = audit(bytes(content)).findings
        assert (finding.code, finding.data["offset"], finding.data["events_hidden"]) == ("SW602", 0, 10)

    def test_several_writers_in_one_file(self, audit):
        """A second version record behind damage says that two writers wrote into one file."""
        (finding,) = audit(*sound(), b"?" * 9, *sound()).findings[:1]
        assert finding.code == "SW602"
        assert "2 writers wrote into this one file" in finding.hint

    @pytest.mark.parametrize(
        "content", [b"hello", b"this is a text, and not a short one", bytes(1000), b"\x1f\x8b" * 99]
    )
    def test_not_an_event_file(self, audit, content):
        """SW605: other files whose names hold the word."""
        assert codes(audit(content)) == ["SW605"]

    def test_no_version_record(self, audit):
        """SW605: a file whose beginning is missing."""
        (finding,) = audit(*sound()[1:]).findings
        assert (finding.code, finding.data["events"]) == ("SW605", 10)

    def test_other_records(self, tf, audit):
        """SW605: files of records that hold no events, such as training examples."""
        example = tf.train.Example(features=tf.train.Features(feature={"x": tf.train.Feature()}))
        assert "SW605" in codes(audit(record_of(example.SerializeToString())))
        assert codes(audit(record_of(b"\xff" * 9) * 5)) == ["SW605"]

    def test_a_first_record_without_an_event(self, audit):
        """Where the first record holds no event, that is damage; the file is an event file all the same."""
        (finding,) = audit(record_of(b"\xff" * 9), *sound()).findings
        assert (finding.code, finding.data["offset"], finding.data["events_hidden"]) == ("SW602", 0, 11)

    def test_empty(self, audit):
        """SW605: an empty file."""
        (finding,) = audit().findings
        assert (finding.code, "empty" in finding.message) == ("SW605", True)

    @pytest.mark.parametrize("events", [[], [Event(graph_def=b"graph")]])
    def test_no_summaries(self, audit, events):
        """SW603: a file with nothing to chart."""
        (finding,) = audit(version(), *map(record, events)).findings
        assert (finding.code, finding.data["graphs"]) == ("SW603", len(events))

    def test_the_profilers_file(self, audit):
        """The profile plug-in leaves an empty event file on purpose."""
        assert codes(audit(version(), name=f"{NAME}.profile-empty")) == []


class TestValues:
    @pytest.mark.parametrize(
        ("pieces", "expected"),
        [
            ([scalar(step, NAN if step > 4 else 1.0) for step in range(9)], "SW401"),
            ([scalar(0) for _ in range(30)], "SW402"),
            ([scalar(step) for step in (1, 2, 1)], "SW403"),
            ([scalar(5) for _ in range(11)], "SW404"),
            ([scalar(-1)], "SW406"),
        ],
    )
    def test_told_with_the_file(self, audit, pieces, expected):
        """What is wrong with tags, steps and values is reported of the file that holds them."""
        report = audit(version(), *pieces)
        (finding,) = report.findings
        assert (finding.code, finding.subject, finding.path) == (expected, "loss", report.files[0].path)

    def test_kinds(self, audit):
        """SW405 at rest."""
        event = Event(step=1)
        event.summary.value.add(tag="loss").histo.sum = 1
        assert codes(audit(version(), scalar(0), record(event))) == ["SW405"]

    def test_a_session_that_goes_on(self, audit):
        """Behind a session-log START, steps may begin again where it says."""
        start = record(Event(step=5, session_log={"status": 1}))
        assert codes(audit(*sound(), start, *(scalar(step) for step in range(5, 20)))) == []
        assert codes(audit(*sound(), *(scalar(step) for step in range(5, 20)))) == ["SW403"]


class TestUnreadable:
    def test_gone(self, tmp_path):
        """A file that is gone is a finding."""
        (finding,) = audit_file(tmp_path / NAME).findings
        assert (finding.code, finding.data["errno"]) == ("SW605", 2)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
    def test_a_pipe(self, tmp_path):
        """A pipe is not waited for."""
        os.mkfifo(tmp_path / NAME)
        (finding,) = audit_file(tmp_path / NAME).findings
        assert "not a regular file" in finding.message

    def test_a_directory(self, tmp_path):
        """A directory is no file."""
        assert codes(audit_file(tmp_path)) == ["SW605"]

    def test_a_nul(self):
        """A path that no system has is a finding too."""
        assert codes(audit_file("x\0y")) == ["SW605"]

    def test_without_permission(self, open_path, run_forked):
        """A file that may not be read is a finding, and the audit goes on."""
        path = os.path.join(open_path, NAME)
        with open(path, "wb") as file:
            file.write(b"".join(sound()))
        os.chmod(path, 0)
        program = "import sys; from safewriter import audit_file; print(audit_file(sys.argv[1]).findings[0])"
        outcome = run_forked(program, path, cwd=open_path, unprivileged=True)
        assert outcome.stdout.startswith("SW605 not-an-event-file: The file can't be read: Permission denied.")

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux takes any bytes for a name")
    def test_names_in_any_encoding(self, tmp_path):
        """A name that is no text in any encoding is read, and named, all the same."""
        path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.tfevents\n1")
        with open(path, "wb") as file:
            file.write(b"".join(sound()))
        report = audit_file(path)
        assert codes(report) == []
        assert os.fsencode(report.files[0].path) == path


class TestBeingWritten:
    """A file that grows while it is read is not damaged."""

    def test_the_rest_comes(self, tmp_path):
        """An unfinished record that is finished a moment later is an event."""
        path = tmp_path / NAME
        content = b"".join(sound())
        path.write_bytes(content[:-9])

        def finish():
            with open(path, "ab") as file:
                file.write(content[-9:])

        timer = threading.Timer(0.05, finish)
        timer.start()
        report = audit_file(path)
        timer.join()
        assert (codes(report), report.files[0].events, report.files[0].being_written) == ([], 11, True)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says who has a file open")
    def test_held_open(self, tmp_path):
        """The end of a file that a process has open for writing is on its way; once it is closed, the file is torn."""
        path = tmp_path / NAME
        with open(path, "wb") as file:
            file.write(b"".join(sound())[:-9])
            file.flush()
            report = audit_file(path)
            assert (codes(report), report.files[0].torn > 0, report.files[0].being_written) == ([], True, True)
        assert codes(audit_file(path)) == ["SW601"]

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says who has a file open")
    def test_begun_only(self, tf, tmp_path, graph):
        """A writer that has not written a summary yet is not blamed for it."""
        writer = tf.summary.FileWriter(str(tmp_path))
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 1)
        writer.flush()
        assert codes(audit_file(next(tmp_path.iterdir()))) == []
        writer.close()

    def test_a_stock_writer_at_work(self, tf, tmp_path, graph):
        """Reading a file again and again while TensorFlow's writer writes it never finds damage."""
        writer = tf.summary.FileWriter(str(tmp_path))
        big = tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0, node_name="n" * 3000)])
        counts = []
        for step in range(60):
            writer.add_summary(big, step)
            if step % 6 == 5:
                writer.flush() if step % 12 == 5 else None
                report = audit_file(next(tmp_path.iterdir()))
                assert codes(report) == []
                counts.append(report.events)
        writer.close()
        assert counts == sorted(counts)
        assert audit_file(next(tmp_path.iterdir())).events == 61


def test_memory_does_not_grow_with_the_file(tmp_path):
    """A file of 100 MB is audited in less than 20 MB more than one of 1 MB."""
    resource = pytest.importorskip("resource", reason="no resource module on Windows")
    del resource
    image = Event(step=1)
    image.summary.value.add(tag="image").image = bytes(50_000)
    data = image.SerializeToString()
    block = record_of(data) * 20
    program = (
        "import resource, sys; from safewriter import audit_file; audit_file(sys.argv[1]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for size, name in ((1, "small"), (100, "large")):
        with open(tmp_path / name, "wb") as file:
            file.write(version())
            for _ in range(size):
                file.write(block)
        done = subprocess.run([sys.executable, "-c", program, tmp_path / name], capture_output=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 20_000


def test_a_graph_larger_than_the_limit_is_not_held(tmp_path, monkeypatch):
    """A huge graph is an event with a graph."""
    monkeypatch.setattr(reading, "BIG", 1000)
    path = tmp_path / NAME
    path.write_bytes(version() + record(Event(graph_def=bytes(9999))) + scalar(1))
    report = audit_file(path)
    assert (codes(report), report.files[0].events, report.files[0].graphs) == ([], 3, 1)


def test_footer_only_damage(audit):
    """A checksum that is wrong by itself hides the record."""
    content = bytearray(b"".join(sound()))
    (crc,) = FOOTER.unpack_from(content, len(content) - 4)
    struct.pack_into("<I", content, len(content) - 4, crc ^ 1)
    report = audit(bytes(content))
    assert (codes(report), report.events) == (["SW602"], 10)


def test_an_empty_report():
    """A report on nothing says nothing."""
    report = AuditReport()
    assert (report.findings, report.runs, report.events, report.merge(AuditReport())) == ((), (), 0, report)

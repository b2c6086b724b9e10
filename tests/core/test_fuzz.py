"""Mutated and cut files: nothing but our own error leaves the reader, no byte is lost, no memory is taken on a lie."""

import io
import struct
import tracemalloc

from hypothesis import given, settings, strategies as st

from safewriter.audit import AuditReport
from safewriter.audit.reading import FileAuditor
from safewriter.eventfile.messages import Event, NotAnEventError, parse_event
from safewriter.eventfile.read import RecordReader, count_records, read_events
from safewriter.eventfile.record import FOOTER, OVERHEAD, masked_crc, record_of


def event_bytes(**fields):
    event = Event(wall_time=1.0, **fields)
    return event.SerializeToString()


def some_events():
    scalar = Event(wall_time=2.0, step=300)
    scalar.summary.value.add(tag="loss", simple_value=1.5)
    histogram = Event(wall_time=2.0, step=4)
    histogram.summary.value.add(tag="h").histo.bucket.extend([1.0, 2.0])
    tensor = Event(wall_time=2.0, step=5)
    tensor.summary.value.add(tag="t").tensor.float_val.extend([1.0, float("nan")])
    tensor.summary.value[0].tensor.dtype = 1
    return [
        event_bytes(file_version="brain.Event:2"),
        event_bytes(graph_def=b"graph" * 9),
        event_bytes(session_log={"status": 1}, step=2),
        scalar.SerializeToString(),
        scalar.SerializeToString(),
        histogram.SerializeToString(),
        tensor.SerializeToString(),
    ]


EVENTS = some_events()


def header(length):
    packed = struct.pack("<Q", length)
    return packed + FOOTER.pack(masked_crc(packed))


mutated_events = st.sampled_from(EVENTS).flatmap(
    lambda data: st.builds(
        lambda at, middle, cut: data[:at] + middle + data[at + cut :],
        st.integers(0, len(data)),
        st.binary(max_size=12),
        st.integers(0, 12),
    )
)
# A file: framed events, sound and mutated, with bytes between them, lengths that lie, and holes.
pieces = st.one_of(
    st.sampled_from(EVENTS).map(lambda data: record_of(data)),
    mutated_events.map(lambda data: record_of(data)),
    st.binary(max_size=40).map(lambda data: record_of(data)),
    st.binary(max_size=40),
    st.integers(0, 50).map(bytes),
    st.one_of(st.integers(0, 500), st.integers(0, 2**64 - 1)).map(header),
)
files = st.one_of(
    st.binary(max_size=200),
    st.lists(pieces, max_size=12).map(b"".join),
    st.lists(pieces, max_size=12).flatmap(
        lambda parts: st.integers(0, len(b"".join(parts))).map(lambda size: b"".join(parts)[:size])
    ),
)


class _Auditor(FileAuditor):
    """An auditor of bytes that are in no file."""

    def audit(self, content):
        list(self.read_from(io.BytesIO(content)))
        return self.facts()


@given(files)
@settings(max_examples=400)
def test_no_file_breaks_the_reader(content):
    """Of any bytes, each is in a record, in a damaged place or in the torn end, and what is counted agrees."""
    reader = RecordReader(io.BytesIO(content))
    found = [data for batch in reader.batches() for data in batch]
    assert sum(len(data) + OVERHEAD for data in found) + reader.skipped + reader.torn == len(content)
    records, end = count_records(io.BytesIO(content))
    assert end == sum(len(data) + OVERHEAD for data in found[:records])
    facts = _Auditor("file").audit(content)
    assert facts.events == sum(1 for _ in read_events(io.BytesIO(content), resume=True))
    assert facts.shown == sum(1 for _ in read_events(io.BytesIO(content)))
    report = AuditReport(files=(facts,))
    assert report.as_dict()["totals"]["findings"] == len(report.findings)
    assert all(str(finding) for finding in report.findings)


@given(st.one_of(st.binary(max_size=100), mutated_events))
@settings(max_examples=400)
def test_no_event_breaks_the_judge(data):
    """Bytes with a right checksum are an event, or our error, and a sound or a damaged file."""
    content = record_of(EVENTS[0]) + record_of(data)
    facts = _Auditor("file").audit(content)
    try:
        parse_event(data)
    except NotAnEventError:
        assert (facts.events, facts.damaged) == (1, 1)
    else:
        assert (facts.events, facts.damaged) == (2, 0)


def test_a_lie_takes_no_memory():
    """A length of 2**60 bytes, with a right checksum, takes no more memory than the file is long."""
    content = record_of(EVENTS[0]) + header(2**60) + bytes(1000)
    tracemalloc.start()
    facts = _Auditor("file").audit(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert facts.events == 1
    assert peak < 1 << 20

"""Records and events: what is whole is read, what is damaged is stepped over, and nothing is believed unchecked."""

import io
import os
import struct
import subprocess
import sys

import protos
import pytest
from hypothesis import given, strategies as st

from safewriter.eventfile import read
from safewriter.eventfile.messages import START, Event, NotAnEventError, parse_event
from safewriter.eventfile.read import RecordReader, count_records, read_events, shortened
from safewriter.eventfile.record import FOOTER, HEADER, OVERHEAD, masked_crc, record_of


def framed(*records):
    return b"".join(map(record_of, records))


def reading(content, **options):
    """A reader that has read all of it, and the data of the records."""
    reader = RecordReader(io.BytesIO(content), **options)
    return reader, [data for batch in reader.batches() for data in batch]


def scalar_event(step, number=1.0, tag="loss", wall_time=1.0):
    event = Event(wall_time=wall_time, step=step)
    event.summary.value.add(tag=tag, simple_value=number)
    return event.SerializeToString()


RECORDS = [scalar_event(step) for step in range(20)]
SIZE = len(RECORDS[5]) + OVERHEAD


class TestMessages:
    def test_tensorflows_events_are_read(self, tf):
        """What TensorFlow serializes is read with the same names and values."""
        event = tf.Event(wall_time=1.5, step=-3)
        event.summary.value.add(tag="loss", simple_value=0.5, node_name="node")
        event.summary.value.add(
            tag="h", histo=tf.HistogramProto(min=-1, max=2, num=3, sum=4, sum_squares=5, bucket=[6])
        )
        event.summary.value.add(tag="t", tensor=tf.make_tensor_proto([1.0, 2.0]))
        event.summary.value[2].metadata.plugin_data.plugin_name = "scalars"
        ours = parse_event(event.SerializeToString())
        assert (ours.wall_time, ours.step, ours.WhichOneof("what")) == (1.5, -3, "summary")
        scalar, histogram, tensor = ours.summary.value
        assert (scalar.tag, scalar.simple_value, scalar.node_name) == ("loss", 0.5, "node")
        histo = histogram.histo
        assert [histo.min, histo.max, histo.num, histo.sum, histo.sum_squares, *histo.bucket] == [-1, 2, 3, 4, 5, 6]
        assert (tensor.tensor.dtype, tensor.metadata.plugin_data.plugin_name) == (1, "scalars")
        assert struct.unpack("<2f", tensor.tensor.tensor_content) == (1.0, 2.0)

    @pytest.mark.parametrize(
        "event",
        [
            protos.Event(file_version="brain.Event:2"),
            protos.Event(graph_def=b"graph"),
            protos.Event(meta_graph_def=b"graph"),
            protos.Event(session_log=protos.SessionLog(status=protos.SessionLog.START), step=9),
            protos.Event(
                tagged_run_metadata=protos.Event().tagged_run_metadata.__class__(tag="run", run_metadata=b"x")
            ),
            protos.Event(
                summary=protos.Summary(value=[protos.Summary.Value(tag="i", image=protos.Summary.Image(height=2))])
            ),
        ],
        ids=lambda event: event.WhichOneof("what"),
    )
    def test_nothing_is_lost_on_the_way(self, event):
        """Each kind of event is known by its name, and serialized again it is the same to TensorFlow."""
        ours = parse_event(event.SerializeToString())
        assert ours.WhichOneof("what") == event.WhichOneof("what")
        assert protos.Event.FromString(ours.SerializeToString()) == event
        assert START == protos.SessionLog.START

    def test_unknown_fields_stay(self):
        """Fields that are not spelt out survive."""
        data = (
            protos.Event(step=1, summary=protos.Summary(value=[protos.Summary.Value(tag="x")])).SerializeToString()
            + b"\xfa\x3f\x01x"
        )
        assert parse_event(data).SerializeToString() == data

    @pytest.mark.parametrize("data", [b"\x0a\xff", b"\xff" * 20, b"\x2a\x05\x0a\x03\x0a\x01\xff"])
    def test_no_event(self, data):
        """Bytes that are no event raise our error, also where a tag is not UTF-8."""
        with pytest.raises(NotAnEventError):
            parse_event(data)


class TestSound:
    @given(st.lists(st.binary(max_size=200), max_size=30))
    def test_all_records(self, records):
        """What was framed is read."""
        reader, found = reading(framed(*records))
        assert found == records
        assert (reader.records, reader.torn, reader.damaged, reader.offset) == (len(records), 0, 0, reader.size)

    @pytest.mark.parametrize("size", [0, 1, 70_000, read.CHUNK - 16, read.CHUNK + 5, 3 * read.CHUNK])
    def test_records_of_any_size(self, size):
        """A record may be longer than what is read at a time."""
        records = [b"a", os.urandom(size), b"b"]
        assert reading(framed(*records))[1] == records

    def test_short_reads(self):
        """A file that gives fewer bytes than asked for is read to its end."""

        class Slow(io.BytesIO):
            def read(self, size=-1):
                return super().read(min(size, 7))

        reader = RecordReader(Slow(framed(*RECORDS)))
        assert [data for batch in reader.batches() for data in batch] == RECORDS

    def test_a_file_that_shrinks(self):
        """A file that gets shorter while it is read ends where it ends."""

        class Shrinking(io.BytesIO):
            def seek(self, offset, whence=0):
                return super().seek(offset, whence) + (50 if whence == 2 else 0)

        reader = RecordReader(Shrinking(framed(*RECORDS)[:-9]))
        assert [data for batch in reader.batches() for data in batch] == RECORDS[:-1]
        assert reader.torn == SIZE - 9
        reader = RecordReader(Shrinking(framed(*RECORDS) + b"?" * 30))
        assert [data for batch in reader.batches() for data in batch] == RECORDS

    def test_start(self):
        """Reading begins at any record."""
        _, found = reading(framed(*RECORDS), start=len(framed(*RECORDS[:7])))
        assert found == RECORDS[7:]

    def test_what_is_appended_is_read_later(self, tmp_path):
        """A reader that has come to the end goes on when it is asked again, in the middle of a record too."""
        path = tmp_path / "file"
        content = framed(*RECORDS)
        path.write_bytes(content[: 3 * SIZE + 9])
        with open(path, "rb") as file:
            reader = RecordReader(file)
            assert len([data for batch in reader.batches() for data in batch]) == 3
            assert reader.torn > 0
            with open(path, "ab") as more:
                more.write(content[3 * SIZE + 9 :])
            assert [data for batch in reader.batches() for data in batch] == RECORDS[3:]
            assert reader.torn == 0

    def test_big_records_are_not_held(self, monkeypatch):
        """A graph above the limit is checked and shortened; a summary above it is kept."""
        monkeypatch.setattr(read, "BIG", 1000)
        graph = Event(wall_time=1.0, step=3, graph_def=bytes(5000)).SerializeToString()
        summary = scalar_event(4, tag="x" * 5000)
        reader, found = reading(framed(graph, summary, RECORDS[1]))
        assert [parse_event(data).WhichOneof("what") for data in found] == ["graph_def", "summary", "summary"]
        assert (parse_event(found[0]).step, found[1:]) == (3, [summary, RECORDS[1]])
        assert (reader.records, reader.offset) == (3, reader.size)

    def test_big_records_are_checked(self, monkeypatch):
        """Damage in a record above the limit is found."""
        monkeypatch.setattr(read, "BIG", 1000)
        content = bytearray(framed(RECORDS[0], Event(graph_def=bytes(5000)).SerializeToString(), RECORDS[1]))
        content[3000] ^= 1
        reader, found = reading(bytes(content))
        assert (found, reader.damaged) == ([RECORDS[0], RECORDS[1]], 1)

    def test_shortened(self):
        """Only what is no summary is shortened, and what is no event gives nothing."""
        assert parse_event(shortened(Event(step=2, meta_graph_def=b"x").SerializeToString())).step == 2
        assert [shortened(data) for data in (b"", RECORDS[0], b"\xff\xff", b"\x09", b"\x10\xff")] == [b""] * 5


class TestDamaged:
    @given(st.integers(0, 19), st.data())
    def test_one_flipped_bit(self, number, data):
        """A flipped bit costs the record that it is in, and no other."""
        content = bytearray(framed(*RECORDS))
        offset = sum(len(record) + OVERHEAD for record in RECORDS[:number])
        size = len(RECORDS[number]) + OVERHEAD
        content[offset + data.draw(st.integers(0, size - 1))] ^= 1 << data.draw(st.integers(0, 7))
        reader, found = reading(bytes(content))
        assert found == RECORDS[:number] + RECORDS[number + 1 :]
        if reader.torn:  # the last one, whose length now runs past the end
            assert (number, reader.torn) == (19, size)
        else:
            (damage,) = reader.damages
            assert (damage.offset, damage.length, damage.before) == (offset, size, number)

    @given(st.lists(st.binary(max_size=60), min_size=1, max_size=12), st.data())
    def test_any_piece_replaced(self, records, data):
        """Whatever replaces a piece of the file, every byte is accounted for, and the records around it are read."""
        content = framed(*records)
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, len(content)))
        middle = data.draw(st.one_of(st.binary(max_size=60), st.integers(0, 60).map(bytes)))
        reader, found = reading(content[:start] + middle + content[stop:])
        assert sum(len(each) + OVERHEAD for each in found) + reader.skipped + reader.torn == reader.size
        assert reader.records == len(found)
        whole, at = 0, 0
        for record in records:
            at += len(record) + OVERHEAD
            whole += at <= start
        assert found[:whole] == records[:whole]

    @given(st.integers(0, SIZE * 20))
    def test_cut_anywhere(self, size):
        """A file that is cut has whole records and a torn rest."""
        content = framed(*RECORDS)[:size]
        reader, found = reading(content)
        assert found == RECORDS[: len(found)]
        assert len(framed(*found)) + reader.torn == len(content)
        assert reader.damaged == 0

    @pytest.mark.parametrize("zeros", [1, 3, 4, 11, 12, 13, 16, 100, read.CHUNK, 2 * read.CHUNK + 3])
    def test_zeros_between(self, zeros):
        """A hole in the file is stepped over, however long."""
        reader, found = reading(framed(*RECORDS[:3]) + bytes(zeros) + framed(*RECORDS[3:]))
        assert found == RECORDS
        assert (reader.damaged, reader.skipped) == (1, zeros)

    @pytest.mark.parametrize("length", [0, 1, 2, 255, 256, 65536, 1 << 24])
    def test_lengths_with_zeros_in_them_are_found(self, length):
        """The search finds a record whatever its length looks like."""
        record = bytes(length)
        reader, found = reading(framed(b"first") + b"\xff" * 30 + framed(record))
        assert ([len(data) for data in found], reader.skipped) == ([5, length], 30)

    def test_zeros_at_the_end(self):
        """Zeros behind the last record are damage, not an unfinished record."""
        reader, found = reading(framed(*RECORDS) + bytes(100))
        assert (found, reader.torn) == (RECORDS, 0)
        assert (reader.damages[0].reason, reader.skipped) == ("zeros where a record should start", 100)

    def test_a_record_torn_in_the_middle(self):
        """Where a writer died and another went on in the same file, what the other wrote is read."""
        reader, found = reading(framed(*RECORDS[:3]) + framed(RECORDS[3])[:-9] + framed(*RECORDS[4:6]))
        assert found == RECORDS[:3] + RECORDS[4:6]
        assert (reader.damaged, reader.torn) == (1, 0)

    def test_salvage(self):
        """Data that is right behind a header that is wrong is pointed at."""
        content = bytearray(framed(*RECORDS[:5]))
        content[2 * SIZE] ^= 1
        reader, _ = reading(bytes(content))
        start, length = reader.damages[0].salvage
        assert bytes(content[start : start + length]) in RECORDS[:5]

    def test_many_damages_are_counted_and_the_first_listed(self):
        """The list of places is bounded, their number is exact."""
        reader, found = reading((framed(b"x") + b"?") * 500 + framed(b"x"))
        assert (len(found), reader.damaged, len(reader.damages)) == (501, 500, read.PLACES)


class TestLies:
    """Files made to mislead."""

    @pytest.mark.parametrize("length", [100, 1 << 20, 1 << 40, (1 << 64) - 1])
    def test_a_length_beyond_the_file(self, length):
        """A length with a right checksum that the file does not hold is an unfinished record; nothing is read."""
        asked = []

        class Watched(io.BytesIO):
            def read(self, size=-1):
                asked.append(size)
                return super().read(size)

        header = struct.pack("<Q", length)
        reader = RecordReader(Watched(framed(b"a") + header + FOOTER.pack(masked_crc(header)) + b"data"))
        assert [data for batch in reader.batches() for data in batch] == [b"a"]
        assert reader.torn == HEADER.size + 4
        assert max(asked) <= read.CHUNK

    def test_records_within_records_that_fail(self, monkeypatch):
        """Headers that each claim the whole rest of the file, and fail, are not checked for ever."""
        monkeypatch.setattr(read, "BIG", 1 << 12)
        size = 1 << 18
        content = bytearray(os.urandom(size))
        for at in range(0, size // 2, HEADER.size):
            header = struct.pack("<Q", size - at - OVERHEAD)
            content[at : at + HEADER.size] = header + FOOTER.pack(masked_crc(header))
        checked = 0
        extend = read.google_crc32c.extend

        class Counted:
            value = staticmethod(read.google_crc32c.value)

            @staticmethod
            def extend(crc, chunk):
                nonlocal checked
                checked += len(chunk)
                return extend(crc, chunk)

        monkeypatch.setattr(read, "google_crc32c", Counted)
        reader, found = reading(bytes(content))
        assert (found, reader.skipped) == ([], size)
        assert checked < 8 * size


class TestCounting:
    def test_whole_records(self, tmp_path):
        """All whole records are counted, from a path as from an open file, and the offset behind them is reported."""
        path = tmp_path / "file"
        path.write_bytes(framed(*RECORDS) + b"torn")
        size = len(framed(*RECORDS))
        assert count_records(path) == count_records(str(path)) == count_records(os.fsencode(path)) == (20, size)
        with open(path, "rb") as file:
            assert count_records(file) == (20, size)
            assert count_records(file, start=len(framed(*RECORDS[:15]))) == (5, size)
            assert not file.closed

    def test_up_to_the_first_damage(self, tf, tmp_path):
        """Counting ends at the first damaged record, as TensorFlow's reader does."""
        content = bytearray(framed(*RECORDS))
        content[4 * SIZE] ^= 1
        path = tmp_path / "file"
        path.write_bytes(content)
        records, end = count_records(path)
        with pytest.raises(tf.errors.DataLossError):
            assert records == sum(1 for _ in tf.io.tf_record_iterator(str(path)))
        assert end == len(framed(*RECORDS[:records]))

    def test_no_file(self, tmp_path):
        """A missing file is an error of the operating system."""
        with pytest.raises(FileNotFoundError):
            count_records(tmp_path / "missing")


class TestEvents:
    def test_with_damage(self, tmp_path):
        """Events are read up to the first damage, or behind it where that is asked for."""
        path = tmp_path / "file"
        path.write_bytes(framed(RECORDS[0], b"\xff\xff", RECORDS[1]) + b"????" + framed(RECORDS[2]))
        assert [event.step for event in read_events(path)] == [0]
        assert [event.step for event in read_events(path, resume=True)] == [0, 1, 2]


def test_no_tensorflow():
    """Reading imports neither TensorFlow nor NumPy."""
    program = "import safewriter.eventfile.read, sys; print([n for n in ('tensorflow', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

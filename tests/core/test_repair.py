"""Clean copies: every event that can be saved, byte for byte, in a file that every reader reads to its end."""

import os

import pytest
from hypothesis import given, strategies as st

from safewriter import audit_file
from safewriter.audit.repair import repair_file
from safewriter.eventfile import read
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

NAME = "events.out.tfevents.1700000000.host"


def scalar(step):
    event = Event(wall_time=1.0 + step, step=step)
    event.summary.value.add(tag="loss", simple_value=1.0)
    return record_of(event.SerializeToString())


VERSION = record_of(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())
SOUND = [VERSION, *(scalar(step) for step in range(20))]
CONTENT = b"".join(SOUND)


def steps(path):
    """The steps that TensorBoard's reader finds; it stops where anything is damaged."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return [event.step for event in EventFileLoader(str(path)).Load() if event.HasField("summary")]


@pytest.fixture
def repaired(tmp_path):
    """Repairs a file with these bytes; gives what was reported, and the copy's path."""

    def of(content):
        source = tmp_path / NAME
        source.write_bytes(content)
        repair = repair_file(source, tmp_path / "copies")
        assert source.read_bytes() == content
        return repair, tmp_path / "copies" / NAME

    return of


def assert_sound(path):
    assert audit_file(path).findings == ()


def test_a_sound_file_is_copied_as_it_is(repaired):
    """Where nothing is wrong, the copy is the file."""
    repair, copy = repaired(CONTENT)
    assert copy.read_bytes() == CONTENT
    assert str(repair) == f"21 events saved to {copy}; nothing was wrong with it."


def test_a_torn_tail(repaired):
    """An unfinished event is dropped."""
    repair, copy = repaired(CONTENT[:-9])
    assert copy.read_bytes() == b"".join(SOUND[:-1])
    assert (repair.events, repair.bytes_torn) == (20, len(SOUND[-1]) - 9)
    assert_sound(copy)


def test_damaged_data(repaired):
    """An event whose data is damaged is dropped, and its place reported."""
    content = bytearray(CONTENT)
    offset = sum(map(len, SOUND[:5]))
    content[offset + 20] ^= 1
    repair, copy = repaired(bytes(content))
    assert steps(copy) == [step for step in range(20) if step != 4]
    assert [(damage.offset, damage.length) for damage in repair.dropped] == [(offset, len(SOUND[5]))]
    assert_sound(copy)


def test_a_damaged_frame(repaired):
    """An event whose frame alone is damaged is saved: nothing is lost."""
    content = bytearray(CONTENT)
    content[sum(map(len, SOUND[:5])) + 2] ^= 1
    repair, copy = repaired(bytes(content))
    assert copy.read_bytes() == CONTENT
    assert (repair.salvaged, repair.dropped, repair.events) == (1, (), 21)


@pytest.mark.parametrize("damaged", [2, 20])
def test_the_version_record(repaired, damaged):
    """A copy begins with a version record, also where the file's was damaged."""
    content = bytearray(CONTENT)
    content[damaged] ^= 1
    repair, copy = repaired(bytes(content))
    assert steps(copy) == list(range(20))
    assert repair.version_added == (damaged == 20)
    assert_sound(copy)


def test_a_missing_version_record(repaired):
    """A file without one gets one."""
    repair, copy = repaired(b"".join(SOUND[1:]))
    assert repair.version_added
    assert steps(copy) == list(range(20))
    assert_sound(copy)


def test_a_record_without_an_event(repaired):
    """A record that holds no event is dropped."""
    repair, copy = repaired(CONTENT + record_of(b"\xff" * 30) + scalar(20))
    assert steps(copy) == list(range(21))
    assert repair.bytes_dropped == 46


def test_many_places(repaired):
    """Each damaged place is dropped, however many there are."""
    repair, copy = repaired(VERSION + b"".join(scalar(step) + b"?" * 13 for step in range(300)))
    assert steps(copy) == list(range(300))
    assert (len(repair.dropped), repair.bytes_dropped) == (300, 3900)
    assert_sound(copy)


def test_big_records_are_copied_whole(repaired, monkeypatch):
    """A graph that the audit does not hold is in the copy to its last byte."""
    monkeypatch.setattr(read, "BIG", 1000)
    graph = record_of(Event(graph_def=os.urandom(5000)).SerializeToString())
    _, copy = repaired(VERSION + graph + scalar(0) + b"?" * 20 + scalar(1))
    assert copy.read_bytes() == VERSION + graph + scalar(0) + scalar(1)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(100), CONTENT[:20]])
def test_nothing_to_save(repaired, content):
    """Where there is no whole event, no file is made."""
    repair, copy = repaired(content)
    assert (repair.target, copy.exists(), str(repair)) == (
        None,
        False,
        "nothing can be saved: it holds no whole event.",
    )


def test_what_is_there_is_not_overwritten(tmp_path):
    """A copy never takes the place of a file, least of all of the one that it is made from."""
    source = tmp_path / NAME
    source.write_bytes(CONTENT[:-9])
    with pytest.raises(FileExistsError):
        repair_file(source, tmp_path)
    assert source.read_bytes() == CONTENT[:-9]


def test_half_a_copy_is_not_left(tmp_path, monkeypatch):
    """Where the copy can't be finished, it is removed."""
    (tmp_path / NAME).write_bytes(CONTENT)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safewriter.audit.repair._copy", fail)
    with pytest.raises(OSError, match="No space"):
        repair_file(tmp_path / NAME, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


@given(st.data())
def test_any_damage(tmp_path_factory, data):
    """Whatever was damaged, the copy is sound, TensorFlow reads it to its end, and nothing is in it that was not."""
    content = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(start + 50, len(content))))
        content[start:stop] = data.draw(st.binary(max_size=50))
    directory = tmp_path_factory.mktemp("any")
    (directory / NAME).write_bytes(content)
    repair = repair_file(directory / NAME, directory / "copies")
    if repair.target is not None:
        found = steps(repair.target)
        assert found == sorted(set(found))
        whole = [step for step in range(20) if SOUND[step + 1] in bytes(content)]
        assert set(whole) <= set(found)
        report = audit_file(repair.target)
        assert [finding.code for finding in report.findings] == ([] if found else ["SW603"])
        assert report.events == repair.events + repair.version_added


def test_tensorboard_shows_what_is_behind_the_damage(tmp_path):
    """TensorBoard shows the points before the damage of the file, and all of the copy's."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    content = bytearray(CONTENT)
    content[sum(map(len, SOUND[:5])) + 20] ^= 1
    (tmp_path / NAME).write_bytes(content)
    copy = repair_file(tmp_path / NAME, tmp_path / "copies").target
    shown = []
    for path in (tmp_path / NAME, copy):
        accumulator = EventAccumulator(str(path)).Reload()
        shown.append([point.step for point in accumulator.Scalars("loss")])
    assert shown == [[0, 1, 2, 3], [step for step in range(20) if step != 4]]

"""The points of one tag, for a chart: each with its place, and whether TensorBoard gets so far."""

import os
import struct

import pytest

from safewriter.audit import audit_logdir, series
from safewriter.eventfile import read
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

NAMES = ("events.out.tfevents.1.host", "events.out.tfevents.2.host")


def record(event):
    return record_of(event.SerializeToString())


VERSION = record(Event(wall_time=1.0, file_version="brain.Event:2"))


def scalar(step, number=1.0, tag="loss"):
    event = Event(wall_time=10.0 + step, step=step)
    event.summary.value.add(tag=tag, simple_value=number)
    return record(event)


@pytest.fixture
def points(tmp_path):
    """The points of ``loss`` in a run with these files."""

    def of(*files, tag="loss"):
        for name, pieces in zip(NAMES, files, strict=False):
            (tmp_path / name).write_bytes(b"".join(pieces))
            os.utime(tmp_path / name, (0, 0))
        (run,) = audit_logdir(tmp_path).runs
        return list(series(run, tag))

    return of


def test_each_with_its_place(points, tmp_path):
    """Every value of the tag is given in file order, with its file and the byte at which its record starts."""
    first = [VERSION, scalar(0, 0.5), scalar(1, tag="other"), scalar(2, float("inf"))]
    second = [VERSION, scalar(1, 0.25)]
    found = points(first, second)
    assert [(point.step, point.wall_time, point.value) for point in found] == [
        (0, 10.0, 0.5),
        (2, 12.0, float("inf")),
        (1, 11.0, 0.25),
    ]
    assert [point.file for point in found] == [str(tmp_path / name) for name in (NAMES[0], NAMES[0], NAMES[1])]
    assert [point.offset for point in found] == [len(VERSION), sum(map(len, first[:3])), len(VERSION)]
    assert {(point.kind, point.behind_damage) for point in found} == {("scalar", False)}


@pytest.mark.parametrize("damage", [b"?" * 30, record_of(b"\xff" * 9), bytes(40)])
def test_behind_damage(points, damage):
    """What stands behind a damaged record in its file is marked; another file is not concerned."""
    found = points([VERSION, scalar(0), damage, scalar(1), scalar(2)], [VERSION, scalar(3)])
    assert [(point.step, point.behind_damage) for point in found] == [(0, False), (1, True), (2, True), (3, False)]


def test_kinds(points):
    """A tensor without metadata is of its tag's kind, and what is no scalar has no number."""
    first, bare, histogram = Event(step=1), Event(step=2), Event(step=3)
    tensor = {"dtype": 1, "tensor_content": struct.pack("<f", 0.5)}
    value = first.summary.value.add(tag="loss", tensor=tensor)
    value.metadata.plugin_data.plugin_name = "scalars"
    bare.summary.value.add(tag="loss", tensor=tensor)
    histogram.summary.value.add(tag="loss").histo.sum = 1
    found = points([VERSION, record(first), record(bare), record(histogram)])
    assert [(point.kind, point.value) for point in found] == [("scalar", 0.5), ("scalar", 0.5), ("histogram", None)]


def test_behind_a_graph_that_is_not_held(points, monkeypatch):
    """Places are correct behind a record that is shortened as it is read."""
    monkeypatch.setattr(read, "BIG", 1000)
    graph = record(Event(graph_def=bytes(9999)))
    (point,) = points([VERSION, graph, scalar(1)])
    assert point.offset == len(VERSION) + len(graph)


def test_files_that_are_gone(tmp_path):
    """A file that is gone since it was audited has no points, and a tag that nobody wrote has none either."""
    for name in NAMES:
        (tmp_path / name).write_bytes(VERSION + scalar(1))
    (run,) = audit_logdir(tmp_path).runs
    assert list(series(run, "nothing")) == []
    (tmp_path / NAMES[0]).unlink()
    assert [point.file for point in series(run, "loss")] == [str(tmp_path / NAMES[1])]

"""Fuzzes the reader, the audit and the repair of event files, with atheris.

Run: pip install atheris && python fuzz/reader.py -max_total_time=600

An input is read in three ways: as the bytes of a file; as the events of a file, framed with right checksums, so that
what is behind the checksums is reached too; and as a sound file with the input put somewhere into it. Whatever it is,
nothing may leave the reader but its own error, every byte must be accounted for, and what is read at once must not be
more than the file is long.
"""

import io
import os
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["safewriter"]):
    from safewriter.audit.reading import FileAuditor
    from safewriter.audit.repair import repair_file
    from safewriter.audit.report import AuditReport
    from safewriter.eventfile.messages import Event
    from safewriter.eventfile.read import CHUNK, RecordReader, count_records
    from safewriter.eventfile.record import OVERHEAD, record_of

SCRATCH = tempfile.mkdtemp()
VERSION = record_of(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())


def sound():
    events = []
    for step in range(6):
        event = Event(wall_time=step, step=step)
        event.summary.value.add(tag="loss", simple_value=step)
        events.append(record_of(event.SerializeToString()))
    return events


SOUND = sound()


class Watched(io.BytesIO):
    """A file that is not asked for more than it could hold."""

    def read(self, size=-1):
        assert 0 <= size <= max(CHUNK, len(self.getbuffer())), f"{size} bytes at once"
        return super().read(size)


class Auditor(FileAuditor):
    def __init__(self, content):
        super().__init__("file")
        self._content = content

    def run(self):
        list(self.read_from(Watched(self._content)))
        return self.facts()


def check(content, with_repair):
    reader = RecordReader(Watched(content))
    found = [data for batch in reader.batches() for data in batch]
    assert sum(len(data) + OVERHEAD for data in found) + reader.skipped + reader.torn == len(content)
    records, end = count_records(Watched(content))
    assert records <= len(found), "more before the first damage than in all"
    assert end == sum(len(data) + OVERHEAD for data in found[:records])
    facts = Auditor(content).run()
    assert facts.events <= len(found)
    report = AuditReport(files=(facts,))
    assert str(report.findings)
    assert report.as_dict()
    if with_repair:
        check_repair(content, facts)


def check_repair(content, facts):
    source, copies = os.path.join(SCRATCH, "file"), os.path.join(SCRATCH, "copies")
    with open(source, "wb") as file:
        file.write(content)
    repair = repair_file(source, copies)
    if repair.target is None:
        assert not facts.events
        return
    with open(repair.target, "rb") as file:
        copy = file.read()
    os.unlink(repair.target)
    again = Auditor(copy).run()
    assert again.events == repair.events + repair.version_added >= facts.events
    assert (again.damaged, again.torn, again.begins) == (0, 0, "version")


def one_input(data):
    provider = atheris.FuzzedDataProvider(data)
    way = provider.ConsumeIntInRange(0, 8)
    if way < 3:
        content = provider.ConsumeBytes(len(data))
    elif way < 6:
        pieces = [provider.ConsumeBytes(provider.ConsumeIntInRange(0, 200)) for _ in range(8)]
        content = VERSION + b"".join(map(record_of, pieces))
    else:
        content = VERSION + b"".join(SOUND)
        start = provider.ConsumeIntInRange(0, len(content))
        stop = provider.ConsumeIntInRange(start, len(content))
        content = content[:start] + provider.ConsumeBytes(len(data)) + content[stop:]
    check(content, with_repair=way % 3 == 0)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()

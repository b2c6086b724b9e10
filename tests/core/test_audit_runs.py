"""What the audit says of directories: which files are a run, what they have to do with each other, how reports join."""

import functools
import json
import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from safewriter import AuditReport, audit_file, audit_logdir
from safewriter.audit import Audit, FileFacts, Problem, TagFacts, find_event_files
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

HERE = os.path.dirname(os.path.abspath(__file__))


def record(event):
    return record_of(event.SerializeToString())


def write(path, steps, *, tags=("loss",), start=1000.0, every=1.0, purge=None, number=1.0):
    """An event file with these steps, one each second from a time on; with a session-log START at a step."""
    pieces = [record(Event(wall_time=int(start), file_version="brain.Event:2"))]
    if purge is not None:
        pieces.append(record(Event(wall_time=start, step=purge, session_log={"status": 1})))
    for index, step in enumerate(steps):
        event = Event(wall_time=start + index * every, step=step)
        for tag in tags:
            event.summary.value.add(tag=tag, simple_value=number)
        pieces.append(record(event))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"".join(pieces))
    os.utime(path, (0, 0))  # an old file: nobody is writing it
    return str(path)


@pytest.fixture
def run(tmp_path):
    """Writes files into one run: each a dict of ``write``'s arguments; gives the codes found."""

    def of(*files):
        for index, options in enumerate(files):
            write(tmp_path / f"{index}.tfevents", **options)
        return [finding.code for finding in audit_logdir(tmp_path).findings]

    return of


class TestOneRun:
    """SW107 and SW604 at rest, and who is exempt."""

    def test_a_rerun(self, tmp_path):
        """SW107: a run that begins anew in the directory of an earlier one, named with its tags and steps."""
        write(tmp_path / "a.tfevents", range(50))
        later = write(tmp_path / "b.tfevents", range(20), start=5000.0)
        (finding,) = audit_logdir(tmp_path).findings
        assert (finding.code, finding.path, finding.count) == ("SW107", later, 1)
        assert "'loss' (steps 0 to 49 and 0 to 19)" in finding.message
        assert "a.tfevents" in finding.message

    def test_workers_in_one_directory(self, tmp_path):
        """SW604: files that were written at the same time with the same tags, one finding a run."""
        for worker in range(4):
            write(tmp_path / f"{worker}.tfevents", range(50), tags=("loss", "accuracy"), start=1000.0 + worker / 10)
        (finding,) = audit_logdir(tmp_path).findings
        assert (finding.code, finding.path, finding.count) == ("SW604", str(tmp_path), 2)
        assert finding.message.startswith("4 files of this run were written at the same time and hold 2 tags")
        assert len(finding.data["files"]) == 4

    @pytest.mark.parametrize(
        "files",
        [
            pytest.param([{"steps": range(50)}, {"steps": range(50, 90), "start": 5000.0}], id="goes on"),
            pytest.param([{"steps": range(50)}, {"steps": range(30, 90), "start": 5000.0, "purge": 30}], id="resumes"),
            pytest.param([{"steps": range(50)}, {"steps": range(50), "tags": ["eval"]}], id="train and eval"),
            pytest.param([{"steps": range(50)}, {"steps": range(50, 90)}], id="two writers of different steps"),
            pytest.param([{"steps": [0]}, {"steps": [0], "start": 5000.0}], id="settings written again"),
            pytest.param([{"steps": range(9)}, {"steps": []}], id="a file without a summary beside others"),
            pytest.param(
                [
                    {"steps": range(9)},
                    {"steps": range(9, 20), "start": 1008.5},
                    {"steps": range(20, 30), "start": 1019.0},
                ],
                id="a writer that is closed and opened again",
            ),
        ],
    )
    def test_right_programs(self, run, files):
        """Runs that go on, and writers that share a directory but no tag, are correct."""
        assert run(*files) == []

    def test_before_the_start(self, run):
        """A session-log START does not excuse steps below it."""
        assert run({"steps": range(50)}, {"steps": range(20, 90), "start": 5000.0, "purge": 30}) == ["SW107"]

    def test_a_third_run(self, run):
        """Each rerun is reported, against what had been reached before it."""
        again = [{"steps": range(9), "start": 1000.0 * number} for number in (1, 2, 3)]
        assert run(*again) == ["SW107", "SW107"]

    def test_stock_writers_for_real(self, tf, tmp_path, graph):
        """Two stock writers at once, and one after the other, are distinguished by the times of their events."""
        for name, at_once in (("at_once", True), ("later", False)):
            writers = [tf.summary.FileWriter(str(tmp_path / name), filename_suffix=suffix) for suffix in [".a", ".b"]]
            order = [(writer, step) for writer in writers for step in range(5)]
            for writer, step in sorted(order, key=lambda pair: pair[1] if at_once else 0):
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)
            for writer in writers:
                writer.close()
        report = audit_logdir(tmp_path)
        assert [finding.code for finding in report.findings] == ["SW604", "SW107"]
        assert [run.mixed for run in report.runs] == [True, False]

    def test_tags_of_the_run(self, tmp_path):
        """A tag of several files is shown as one, in the order of their times."""
        write(tmp_path / "b.tfevents", range(10), start=1000.0)
        write(tmp_path / "a.tfevents", range(10, 15), start=5000.0)
        (run,) = audit_logdir(tmp_path).runs
        loss = run.tags["loss"]
        assert (loss.count, loss.first_step, loss.last_step, loss.highest_step) == (15, 0, 14, 14)
        assert (loss.first_time, loss.last_time) == (1000.0, 5004.0)

    def test_no_summaries_in_all_files(self, run, tmp_path):
        """SW603 is reported of the run, once."""
        assert run({"steps": []}, {"steps": []}) == ["SW603"]


class TestWalking:
    def test_a_tree(self, tmp_path):
        """Every directory with event files is a run, at any depth; other files are left alone."""
        for name in ("a.tfevents", "train/b.tfevents.1", "train/deep/er/events.out.tfevents.2"):
            write(tmp_path / name, range(3))
        (tmp_path / "train" / "notes.txt").write_text("no event file")
        report = audit_logdir(tmp_path)
        assert [os.path.relpath(run.path, tmp_path) for run in report.runs] == [".", "train", "train/deep/er"]
        assert (report.findings, report.events) == ((), 12)

    def test_circles(self, tmp_path):
        """Links in circles end, and links to elsewhere are followed."""
        logdir, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
        write(elsewhere / "a.tfevents", range(3))
        (logdir / "x" / "y").mkdir(parents=True)
        os.symlink(logdir, logdir / "x" / "y" / "up")
        os.symlink("me", logdir / "me")
        os.symlink(elsewhere, logdir / "there")
        assert [source.path for source in find_event_files(logdir)] == [str(logdir / "there" / "a.tfevents")]

    def test_many_links_to_each_other(self, tmp_path):
        """Directories that are linked in every way are visited once each."""
        for name in "abcdefgh":
            (tmp_path / name).mkdir()
        for name in "abcdefgh":
            for other in "abcdefgh":
                os.symlink(tmp_path / other, tmp_path / name / f"to_{other}")
        write(tmp_path / "h" / "a.tfevents", range(3))
        assert len(list(find_event_files(tmp_path))) == 1

    def test_a_link_to_nowhere(self, tmp_path):
        """A link to a file that is gone is a finding."""
        os.symlink("gone", tmp_path / "a.tfevents")
        assert [finding.code for finding in audit_logdir(tmp_path).findings] == ["SW605"]

    @pytest.mark.skipif(sys.platform == "win32", reason="a separator there")
    def test_a_backslash_in_a_name(self, tmp_path):
        """A name may hold a backslash where that is no separator."""
        path = write(tmp_path / "a\\b.tfevents", range(3))
        (run,) = audit_logdir(tmp_path).runs
        assert (run.path, run.files[0].name) == (str(tmp_path), "a\\b.tfevents")
        assert path.endswith("a\\b.tfevents")

    def test_one_file(self, tmp_path):
        """A single file may be named."""
        path = write(tmp_path / "a.tfevents", range(3))
        write(tmp_path / "b.tfevents", range(3))
        assert [facts.path for facts in audit_logdir(path).files] == [path]

    def test_nothing_there(self, tmp_path):
        """SW603: a log directory without any event file."""
        report = audit_logdir(tmp_path)
        assert [(finding.code, finding.path) for finding in report.findings] == [("SW603", str(tmp_path))]

    def test_no_such_directory(self, tmp_path):
        """A log directory that does not exist is an error of the caller's."""
        with pytest.raises(FileNotFoundError):
            audit_logdir(tmp_path / "missing")

    def test_bytes(self, tmp_path):
        """Paths may be str, bytes or PathLike."""
        write(tmp_path / "a.tfevents", range(3))
        assert audit_logdir(os.fsencode(tmp_path)) == audit_logdir(str(tmp_path)) == audit_logdir(tmp_path)

    def test_a_directory_that_cannot_be_listed(self, open_path, run_forked):
        """A closed directory is a finding, and the others are read."""
        write(os.path.join(open_path, "open", "a.tfevents"), range(3))
        os.mkdir(os.path.join(open_path, "closed"), 0)
        os.chmod(os.path.join(open_path, "open", "a.tfevents"), 0o644)
        program = (
            "import sys; from safewriter import audit_logdir; report = audit_logdir(sys.argv[1]);"
            "print(report.events, *(finding.message for finding in report.findings))"
        )
        outcome = run_forked(program, open_path, cwd=open_path, unprivileged=True)
        assert outcome.stdout.startswith("4 The directory can't be listed: Permission denied.")

    def test_a_thousand_runs(self, tmp_path):
        """Many runs are many runs."""
        write(tmp_path / "0" / "a.tfevents", range(2))
        content = (tmp_path / "0" / "a.tfevents").read_bytes()
        for number in range(1, 1000):
            (tmp_path / str(number)).mkdir()
            (tmp_path / str(number) / "a.tfevents").write_bytes(content)
        report = audit_logdir(tmp_path)
        assert (len(report.runs), report.events, report.findings) == (1000, 3000, ())


class TestProcesses:
    @pytest.fixture
    def logdir(self, tmp_path):
        for number in range(6):
            write(tmp_path / f"run{number}" / "a.tfevents", range(20), number=float("nan") if number == 3 else 1.0)
            write(tmp_path / f"run{number}" / "b.tfevents", range(10), start=5000.0)
        return tmp_path

    def test_the_same_report(self, logdir):
        """Any number of processes finds the same."""
        one, two = Audit([logdir]).update(), Audit(logdir, jobs=2).update()
        assert one == two
        assert one.findings == two.findings
        assert len(one.findings) == 7

    def test_progress(self, logdir):
        """The progress ends with all bytes that there are."""
        reported = []
        report = Audit([logdir]).update(progress=lambda *numbers: reported.append(numbers))
        assert reported[-1] == (report.bytes, report.bytes)
        assert reported == sorted(reported)

    def test_what_was_read_before_an_interrupt(self, logdir):
        """An audit that is broken off reports what it has read, also of the file that it was reading."""
        calls = []

        def interrupt(read, known):
            calls.append(read)
            if read > 3000:
                raise KeyboardInterrupt

        audit = Audit([logdir])
        with pytest.raises(KeyboardInterrupt):
            audit.update(interrupt)
        report = audit.report()
        assert report.interrupted
        assert 0 < len(report.files) < 12
        assert not all(facts.complete for facts in report.files)
        assert json.loads(json.dumps(report.as_dict()))["interrupted"] is True


class TestMerge:
    tags = st.builds(
        TagFacts,
        kind=st.just("scalar"),
        count=st.integers(1, 9),
        first_step=st.integers(0, 5),
        last_step=st.integers(0, 5),
        lowest_step=st.integers(0, 5),
        highest_step=st.integers(0, 5),
        first_time=st.floats(0, 9),
        last_time=st.floats(0, 9),
    )
    files = st.builds(
        FileFacts,
        path=st.sampled_from(["r/a", "r/b", "s/a", "s/b"]),
        bytes=st.integers(0, 2),
        events=st.integers(0, 2),
        begins=st.just("version"),
        complete=st.booleans(),
        tags=st.dictionaries(st.sampled_from("xyz"), tags, max_size=2),
    )
    reports = st.builds(
        AuditReport().merge,
        st.builds(AuditReport, files=st.tuples(files)),
        st.builds(
            AuditReport,
            files=st.tuples(files),
            empty=st.sampled_from([(), ("e",), ("f",)]),
            problems=st.sampled_from([(), (Problem("p", "no", 1),), (Problem("q", "no", 1),)]),
            interrupted=st.booleans(),
        ),
    )

    @given(reports, reports, reports)
    @settings(max_examples=100)
    def test_associative(self, one, two, three):
        """It makes no difference in which order, or how often, reports are joined."""
        left, right = one.merge(two).merge(three), one.merge(two.merge(three))
        assert left == right == one.merge(two, three)
        assert three.merge(one).merge(two) == left
        assert left.merge(one) == left
        assert left.merge(AuditReport()) == AuditReport().merge(left) == left
        assert left.findings == right.findings

    def test_files_of_a_run_are_judged_together(self, tmp_path):
        """What no single file shows is found in the joined report."""
        paths = [
            write(tmp_path / name, range(9), start=start) for name, start in (("a.tfevents", 1.0), ("b.tfevents", 99.0))
        ]
        alone = [audit_file(path) for path in paths]
        assert [report.findings for report in alone] == [(), ()]
        joined = functools.reduce(AuditReport.merge, alone)
        assert [finding.code for finding in joined.findings] == ["SW107"]
        assert joined == audit_logdir(tmp_path)

    def test_pickled_parts(self, tmp_path):
        """Parts may come from other processes."""
        path = write(tmp_path / "a.tfevents", range(9))
        part = pickle.loads(pickle.dumps(audit_file(path)))
        assert part.merge(audit_file(path)) == audit_logdir(tmp_path)


class TestSchema:
    """``as_dict``, as docs/audit.md documents it."""

    def test_keys(self, tmp_path):
        """The keys are those of the documented version; a change of them needs a new one."""
        write(tmp_path / "a.tfevents", range(9), number=float("inf"))
        content = json.loads(json.dumps(audit_logdir(tmp_path).as_dict(), allow_nan=False))
        assert set(content) == {"schema", "safewriter", "interrupted", "totals", "runs", "findings"}
        assert content["schema"] == 1
        assert content["totals"] == {
            "runs": 1,
            "files": 1,
            "bytes": os.path.getsize(tmp_path / "a.tfevents"),
            "events": 10,
            "summaries": 9,
            "tags": 1,
            "findings": 1,
        }
        (run,) = content["runs"]
        assert set(run) == {"path", "bytes", "events", "mixed", "files", "tags"}
        assert set(run["files"][0]) == {
            "path",
            "bytes",
            "events",
            "summaries",
            "graphs",
            "version_records",
            "first_time",
            "last_time",
            "session_starts",
            "damaged_places",
            "bytes_skipped",
            "events_shown",
            "bytes_torn",
            "being_written",
            "complete",
            "error",
        }
        assert set(run["tags"]["loss"]) == {
            "kind",
            "count",
            "first_step",
            "last_step",
            "lowest_step",
            "highest_step",
            "first_time",
            "last_time",
            "not_finite",
        }
        assert set(content["findings"][0]) == {
            "code",
            "name",
            "kind",
            "message",
            "hint",
            "subject",
            "count",
            "created_at",
            "path",
            "data",
        }

    def test_documented(self, tmp_path):
        """Every key stands on the page."""
        with open(os.path.join(HERE, os.pardir, os.pardir, "docs", "audit.md"), encoding="utf-8") as page:
            text = page.read()
        write(tmp_path / "a.tfevents", range(9), number=float("inf"))
        content = audit_logdir(tmp_path).as_dict()
        run = content["runs"][0]
        keys = {*content, *content["totals"], *run, *run["files"][0], *run["tags"]["loss"], *content["findings"][0]}
        assert [key for key in sorted(keys) if f"`{key}`" not in text] == []

    def test_times_that_are_no_numbers(self, tmp_path):
        """A wall time that JSON can't hold is null."""
        write(tmp_path / "a.tfevents", range(3), start=1.0, every=float("inf"))
        content = json.dumps(audit_logdir(tmp_path).as_dict(), allow_nan=False)
        assert '"last_time": null' in content


class TestRemote:
    def test_memory(self, tmp_path):
        """Files on any file system that fsspec knows are audited as local ones."""
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        for name, steps in (("a/x.tfevents", range(9)), ("a/b/y.tfevents", range(5))):
            write(tmp_path / name, steps)
            content = (tmp_path / name).read_bytes()
            system.pipe(f"/audited/{name}", content)
        system.pipe("/audited/c/z.tfevents", content[:-9])
        try:
            report = audit_logdir("memory://audited")
            assert [run.path for run in report.runs] == [f"memory:///audited/{run}" for run in ("a", "a/b", "c")]
            assert [finding.code for finding in report.findings] == ["SW601"]
            local = {facts.bytes: facts.tags for facts in audit_logdir(tmp_path).files}
            assert {facts.bytes: facts.tags for facts in report.runs[0].files + report.runs[1].files} == local
            assert audit_file("memory://audited/a/x.tfevents").files[0].events == 10
            with pytest.raises(FileNotFoundError):
                audit_logdir("memory://nowhere")
            assert [finding.code for finding in audit_file("memory://nowhere/a.tfevents").findings] == ["SW605"]
        finally:
            system.rm("/audited", recursive=True)

    def test_a_file_system_that_fails(self, monkeypatch):
        """An error of a remote file system's own is one of the operating system's to the caller, or a finding."""
        memory = pytest.importorskip("fsspec.implementations.memory")

        class CredentialsError(Exception):
            pass

        def fail(*_, **__):
            raise CredentialsError("who are you?")

        for method in ("exists", "open"):
            monkeypatch.setattr(memory.MemoryFileSystem, method, fail)
        with pytest.raises(OSError, match="CredentialsError: who are you"):
            audit_logdir("memory://audited")
        (finding,) = audit_file("memory://audited/a.tfevents").findings
        assert "CredentialsError: who are you?" in finding.message

    def test_without_fsspec(self, monkeypatch):
        """Where fsspec is missing, the error says what to install."""
        monkeypatch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(ModuleNotFoundError, match="pip install fsspec"):
            audit_logdir("s3://bucket/logs")


def loaded(program):
    """Which of these a program has imported at its end."""
    tail = "\nimport sys; print(sorted({'tensorflow', 'numpy', 'rich', 'fsspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program + tail], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_no_tensorflow(tmp_path):
    """An audit imports no TensorFlow, and nothing else that it can do without."""
    write(tmp_path / "a.tfevents", range(9))
    assert loaded(f"import safewriter; safewriter.audit_logdir({str(tmp_path)!r}).as_dict()") == "[]"


def test_that_this_would_be_seen():
    """The look that finds no TensorFlow finds one that is there."""
    assert "tensorflow" in loaded("import sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow')")


def test_on_dask():
    """The example audits on a Dask cluster, and its report equals the command's."""
    pytest.importorskip("distributed")
    example = os.path.join(HERE, os.pardir, os.pardir, "examples", "audit_on_dask.py")
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "the same as the command's" in done.stdout

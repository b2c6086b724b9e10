"""The command as users meet it: what it prints to a pipe, to a terminal and as JSON, and how it ends."""

import glob
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from safewriter import audit_logdir
from safewriter.cli import main
from safewriter.cli.charts import sparkline
from safewriter.cli.text import shown
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of
from safewriter.findings import CATALOGUE

COMMAND = [sys.executable, "-m", "safewriter"]
NAME = "events.out.tfevents.1700000000.host"
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs", "audit.md")


def write(path, steps, number=1.0, tag="loss", damage=None):
    pieces = [record_of(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())]
    for step in steps:
        event = Event(wall_time=2.0 + step, step=step)
        event.summary.value.add(tag=tag, simple_value=number if isinstance(number, float) else number(step))
        pieces.append(record_of(event.SerializeToString()))
    content = bytearray(b"".join(pieces))
    if damage is not None:
        content[damage] ^= 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, 0))  # an old file: nobody is writing it
    return path


@pytest.fixture
def logdir(tmp_path):
    """A sound run, one with NaN, and one with a damaged record."""
    write(tmp_path / "good" / NAME, range(50))
    write(tmp_path / "nan" / NAME, range(50), float("nan"))
    write(tmp_path / "torn" / NAME, range(50), damage=500)
    return tmp_path


@pytest.fixture
def run_here(capsys):
    """Runs the command here; gives its exit code and the lines that it printed."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err

    return run


class TestPlain:
    def test_clean(self, run_here, logdir):
        """Nothing wrong is exit code 0, and one line."""
        code, lines, _ = run_here("audit", logdir / "good")
        assert (code, lines) == (0, ["1 run, 1 file, 51 events, 1 tag: nothing is wrong."])

    def test_findings(self, run_here, logdir):
        """Findings are exit code 1, a line each with path, code and name, the evidence indented beneath."""
        code, lines, _ = run_here("audit", logdir)
        path = logdir / "torn" / NAME
        assert code == 1
        assert lines[0].startswith(f"{logdir / 'nan' / NAME}: SW401 not-finite: Tag 'loss': 50 of 50 values were NaN")
        (at,) = [index for index, line in enumerate(lines) if line.startswith(f"{path}: SW602 corrupt-record: ")]
        assert lines[at + 1].startswith("    offset: ")
        assert lines[at + 2].startswith("    at byte ")
        assert lines[at + 3].startswith("    Hint: ")
        assert lines[-1] == "3 runs, 3 files, 152 events, 3 tags: 2 findings."

    def test_no_hints(self, run_here, logdir):
        """Hints can be left out."""
        _, lines, _ = run_here("audit", "--no-hints", logdir)
        assert not any("Hint" in line for line in lines)

    @pytest.mark.parametrize(
        ("options", "codes"),
        [
            (["--select", "SW4"], ["SW401"]),
            (["--select", "SW4", "--select", "corrupt-record"], ["SW401", "SW602"]),
            (["--ignore", "SW401,SW5"], ["SW602"]),
            (["--select", "SW6", "--ignore", "SW602"], []),
        ],
    )
    def test_selection(self, run_here, logdir, options, codes):
        """Codes, names and prefixes choose what is reported, and the exit code follows."""
        code, lines, _ = run_here("audit", *options, logdir)
        assert re.findall(r"SW\d\d\d(?= [a-z-]+: )", "\n".join(lines)) == codes
        assert code == (1 if codes else 0)

    def test_several_directories(self, run_here, logdir):
        """Several log directories are one report."""
        _, lines, _ = run_here("audit", logdir / "good", logdir / "nan")
        assert lines[-1] == "2 runs, 2 files, 102 events, 2 tags: 1 finding."

    def test_jobs(self, run_here, logdir):
        """Several processes print the same."""
        assert run_here("audit", "--jobs", "2", logdir) == run_here("audit", logdir)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux takes any bytes for a name")
    def test_names_that_cannot_be_printed(self, tmp_path):
        """A name that the terminal can't show, or that would move its cursor, is escaped; the evidence stays lines."""
        directory = os.path.join(os.fsencode(tmp_path), b"\xff\x1b[2J\nx")
        os.mkdir(directory)
        with open(os.path.join(directory, b"a.tfevents"), "wb") as file:
            file.write(b"no event file at all")
        done = subprocess.run(
            [*COMMAND, "audit", tmp_path], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
        )
        assert done.returncode == 1
        assert done.stdout.splitlines()[0].startswith(os.fsencode(tmp_path) + rb"/\udcff\x1b[2J\nx/a.tfevents: SW605")

    def test_a_reader_that_has_seen_enough(self, logdir):
        """A closed pipe is no traceback."""
        child = subprocess.Popen([*COMMAND, "audit", logdir], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.close()
        stderr = child.stderr.read()
        child.stderr.close()
        assert (child.wait(), stderr) == (1, b"")


def test_no_tensorflow(logdir):
    """To a pipe, neither the audit nor an explanation imports TensorFlow, or what draws on terminals."""
    program = (
        "import sys; from safewriter.cli import main; main(sys.argv[1:]);"
        "print(sorted({'tensorflow', 'numpy', 'rich'} & set(sys.modules)))"
    )
    for arguments in (["audit", logdir], ["explain", "SW602"]):
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def test_the_page_shows_what_is_printed(run_here, tmp_path, monkeypatch):
    """The output in docs/audit.md is that of the command."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "logs" / "eval" / NAME, range(1000), lambda step: float("nan") if 12 <= step < 352 else 1.0)
    write(tmp_path / "logs" / "train" / NAME, range(50), damage=500)
    _, lines, _ = run_here("audit", "logs")
    with open(PAGE, encoding="utf-8") as page:
        assert "\n".join(["```console", "$ safewriter audit logs", *lines, "```"]) in page.read()


class TestWrongUse:
    """Exit code 2, and a sentence on what is correct."""

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ([], "required"),
            (["audit"], "LOGDIR"),
            (["audit", "{}/missing"], "there is no such file or directory"),
            (["audit", "--select", "SW777", "{}"], "is no code, name or code prefix"),
            (["audit", "--select", "", "{}"], "no code is named"),
            (["audit", "--jobs", "0", "{}"], "processes from 1"),
            (["audit", "--jobs", "many", "{}"], "processes from 1"),
            (["audit", "--follow", "--json", "{}"], "choose one of them"),
            (["audit", "--follow", "--interval", "0", "{}"], "seconds from 0.1"),
            (["audit", "--follow", "--interval", "nan", "{}"], "seconds from 0.1"),
            (["audit", "--follow", "{}/missing"], "there is no such file or directory"),
            (["repair", "{}/x"], "--output"),
            (["repair", "{}/x", "--output", "{}/copies"], "there is no such file"),
            (["explain", "nothing"], "is no code"),
        ],
    )
    def test_said(self, run_here, tmp_path, arguments, text):
        """What is wrong is said on standard error."""
        code, lines, error = run_here(*(argument.format(tmp_path) for argument in arguments))
        assert (code, lines) == (2, [])
        assert text in error

    def test_no_fsspec(self, run_here, monkeypatch):
        """A URL without fsspec says what to install."""
        monkeypatch.setitem(sys.modules, "fsspec", None)
        code, _, error = run_here("audit", "s3://bucket/logs")
        assert (code, "pip install fsspec" in error) == (2, True)

    def test_no_plugin(self, run_here):
        """A URL of a kind whose plug-in is missing, or of no kind at all, says so."""
        pytest.importorskip("fsspec")
        for command in (("audit", "{}"), ("repair", "{}", "--output", "copies")):
            for url, text in (("oci://bucket/logs", "ocifs"), ("nothing://x", "nothing")):
                code, _, error = run_here(*(argument.format(url) for argument in command))
                assert (code, text in error) == (2, True)


class TestJson:
    def test_the_report(self, run_here, logdir):
        """``--json`` prints the report as the library gives it."""
        code, lines, _ = run_here("audit", "--json", logdir)
        assert code == 1
        assert json.loads("\n".join(lines)) == json.loads(json.dumps(audit_logdir(logdir).as_dict()))

    def test_selected(self, run_here, logdir):
        """Selection and hints apply to JSON too."""
        code, lines, _ = run_here("audit", "--json", "--no-hints", "--select", "SW602", logdir)
        (finding,) = json.loads("\n".join(lines))["findings"]
        assert (code, finding["code"], "hint" in finding) == (1, "SW602", False)

    def test_clean(self, run_here, logdir):
        """JSON of nothing wrong is exit code 0."""
        code, lines, _ = run_here("audit", "--json", logdir / "good")
        assert (code, json.loads("\n".join(lines))["findings"]) == (0, [])


class TestRepair:
    def test_files_of_several_runs(self, run_here, logdir):
        """Copies of files that share a name are kept apart, and pass the audit."""
        write(logdir / "second" / NAME, range(50), damage=900)
        code, lines, _ = run_here(
            "repair", logdir / "torn" / NAME, logdir / "second" / NAME, "--output", logdir / "copies"
        )
        assert code == 0
        assert len(lines) >= 2
        assert sorted(str(path.relative_to(logdir / "copies")) for path in (logdir / "copies").rglob("*tf*")) == [
            f"second/{NAME}",
            f"torn/{NAME}",
        ]
        assert run_here("audit", logdir / "copies")[0] == 0

    def test_what_is_dropped_is_said(self, run_here, logdir):
        """The place that nothing could be saved from is reported."""
        path = write(logdir / "data" / NAME, range(50), damage=520)
        code, lines, _ = run_here("repair", path, "--output", logdir / "copies")
        assert code == 0
        assert re.fullmatch(r".*: 50 events saved to .*; 1 damaged places? dropped, \d+ bytes\.", lines[0])
        assert re.fullmatch(r"    dropped at byte \d+: the checksum of its data is wrong; \d+ bytes", lines[1])

    def test_twice(self, run_here, logdir):
        """A copy is not overwritten."""
        arguments = ("repair", logdir / "torn" / NAME, "--output", logdir / "copies")
        assert run_here(*arguments)[0] == 0
        code, _, error = run_here(*arguments)
        assert (code, "is there already" in error) == (2, True)

    def test_nothing_to_save(self, run_here, tmp_path):
        """A file without an event is exit code 1."""
        (tmp_path / "a.tfevents").write_bytes(b"nothing")
        code, lines, _ = run_here("repair", tmp_path / "a.tfevents", "--output", tmp_path / "copies")
        assert (code, "nothing can be saved" in lines[0]) == (1, True)

    def test_an_output_that_is_a_file(self, run_here, logdir):
        """The output must be a directory."""
        path = logdir / "torn" / NAME
        assert run_here("repair", path, "--output", path)[0] == 2


class TestExplain:
    @pytest.mark.parametrize("code", CATALOGUE)
    def test_every_code(self, run_here, code):
        """Each code has an entry, found by code and by name."""
        by_code = run_here("explain", code)
        assert by_code[0] == 0
        assert by_code[1][0] == f"# {code} {CATALOGUE[code].name} ({CATALOGUE[code].kind.value})"
        assert run_here("explain", CATALOGUE[code].name) == by_code

    def test_a_prefix(self, run_here):
        """A prefix explains all its codes."""
        _, lines, _ = run_here("explain", "SW60")
        assert sum(bool(re.match(r"# SW60\d ", line)) for line in lines) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
class TestTerminal:
    def on_terminal(self, *arguments, columns=120):
        """What the command draws on a terminal, without colours, and its exit code."""
        import fcntl
        import pty
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        env = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", "COLUMNS": "", "NO_COLOR": ""}
        child = subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # Linux's way to say that nobody has the other end any more
                break
            if not piece:
                break
            drawn += piece
        os.close(ours)
        return child.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode()).replace("\r", "")

    def test_table(self, logdir):
        """On a terminal there is a table by run, a line of bars per scalar, and the findings below."""
        write(logdir / "rising" / NAME, range(50), float)
        code, text = self.on_terminal("audit", logdir)
        assert code == 1
        assert re.search(r"run +files +events +steps +size +last event +findings +values", text)
        (bars,) = re.findall(r"[▁-█]*█", text)
        assert len(bars) == 24
        assert (list(bars), bars[0], bars[-1]) == (sorted(bars), "▁", "█")
        text = " ".join(text.split())  # where lines are folded depends on the length of the path
        assert "SW602 corrupt-record" in text
        assert text.endswith("4 runs, 4 files, 203 events, 4 tags: 2 findings.")

    def test_narrow(self, logdir):
        """Where there is no room for bars, there are none."""
        _, text = self.on_terminal("audit", logdir / "good", columns=80)
        assert "▁" not in text
        assert "findings" in text

    def test_explain(self):
        """An entry is drawn."""
        code, text = self.on_terminal("explain", "SW602")
        assert (code, "SW602 corrupt-record" in text) == (0, True)

    def test_many_runs_and_tags(self, tmp_path):
        """A table that would be too long says how much it leaves out."""
        for number in range(105):
            write(tmp_path / f"{number:03}" / NAME, range(2), tag=f"tag{number}")
        pieces = [(tmp_path / f"{number:03}" / NAME).read_bytes() for number in range(20)]
        (tmp_path / "000" / NAME).write_bytes(b"".join(pieces))
        _, text = self.on_terminal("audit", tmp_path)
        text = " ".join(text.split())
        assert "and 5 runs more" in text
        assert "and 8 tags more" in text


@pytest.mark.parametrize(
    ("points", "bars"),
    [
        ([], ""),
        ([1.0, 1.0], "▁▁"),
        ([0.0, 7.0], "▁█"),
        ([-1.7e308, 0.0, 1.7e308], "▁▅█"),
        ([float(number) for number in range(8)], "▁▂▃▄▅▆▇█"),
    ],
)
def test_sparkline(points, bars):
    """Numbers are bars, from the lowest to the highest."""
    assert sparkline(points) == bars


def test_shown():
    """Letters of any script are shown as they are."""
    assert shown("läufe/実験/x") == "läufe/実験/x"
    assert shown("a\nb\x1b\udcff") == "a\\nb\\x1b\\udcff"


def is_read(directory):
    """Whether any process has a file of a directory open."""
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link).startswith(str(directory)):
                return True
        except OSError:  # it ended while we looked
            continue
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says when the reading has begun")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted(tmp_path, jobs):
    """Ctrl-C leaves a report of what was read so far, ends every process, and is no traceback."""
    first = write(tmp_path / "0" / NAME, range(20_000))
    for number in range(1, 1000):
        (tmp_path / str(number)).mkdir()
        os.link(first, tmp_path / str(number) / NAME)
    child = subprocess.Popen(
        [*COMMAND, "audit", "--json", "--jobs", jobs, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not is_read(tmp_path):
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = child.communicate(timeout=60)
    report = json.loads(out)
    assert (child.returncode, err) == (130, b"")
    assert report["interrupted"] is True
    assert report["totals"]["files"] < 1000
    assert not is_read(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process on Windows")
class TestFollow:
    """``--follow``: a line for each change, to a pipe."""

    @pytest.fixture
    def follow(self):
        children = []

        def start(*arguments):
            child = subprocess.Popen(
                [*COMMAND, "audit", "--follow", "--interval", "0.1", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            children.append(child)
            return child

        yield start
        for child in children:
            child.kill()
            child.communicate()

    def end(self, child):
        """Ctrl-C: the exit code, and the last line without what was printed before it."""
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert err == ""
        return child.returncode, out.splitlines()[-1]

    def line(self, child, text):
        """Waits for a line with this text; gives it without its time."""
        for line in child.stdout:
            assert re.match(r"\d\d:\d\d:\d\d ", line)
            if text in line:
                return line[9:].rstrip("\n")
        raise AssertionError(f"it ended before {text!r}")

    def test_a_writer_at_work(self, follow, logdir):
        """Runs that appear and grow are summed up, a finding is reported when it comes and when it goes."""
        child = follow(logdir)
        assert self.line(child, "appeared") == "3 runs appeared; 152 events (+152)"
        assert "new: " in self.line(child, "SW401 not-finite")
        assert "Hint: " in self.line(child, "SW602 corrupt-record")
        path = logdir / "new" / NAME
        write(path, range(5), float("nan"))
        assert self.line(child, "appeared") == "1 run appeared; 158 events (+6)"
        assert f"new: {path}: SW401 not-finite: Tag 'loss': 5 of 5 values" in self.line(child, "SW401")
        program = (
            "import sys\n"
            "from safewriter.eventfile.messages import Event\n"
            "from safewriter.eventfile.record import record_of\n"
            "with open(sys.argv[1], 'ab', buffering=0) as file:\n"
            "    for step in range(5, 105):\n"
            "        event = Event(wall_time=9.0, step=step)\n"
            "        event.summary.value.add(tag='loss', simple_value=1.0)\n"
            "        file.write(record_of(event.SerializeToString()))\n"
        )
        subprocess.run([sys.executable, "-c", program, path], check=True)
        events = 0
        while events < 258:
            events = int(re.search(r"1 run changed; (\d+) events", self.line(child, "changed"))[1])
        path.unlink()
        assert self.line(child, "run gone") == "1 run gone; 152 events (-106)"
        assert self.line(child, "gone: ") == f"gone: {path}: SW401 not-finite"
        assert self.end(child) == (1, "3 runs, 3 files, 152 events, 3 tags: 2 findings.")

    def test_nothing_wrong(self, follow, logdir):
        """Ctrl-C gives the exit code of an audit of what is there; what is not selected does not count."""
        child = follow(logdir, "--ignore", "SW4", "--ignore", "SW6", "--no-hints")
        self.line(child, "appeared")
        assert self.end(child) == (0, "3 runs, 3 files, 152 events, 3 tags: nothing is wrong.")

    def test_a_directory_that_vanishes(self, follow, logdir):
        """A log directory that is removed is a finding, and no end."""
        child = follow(logdir)
        self.line(child, "appeared")
        for path in sorted(logdir.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        logdir.rmdir()
        assert "can't be listed" in self.line(child, "SW605")
        assert self.end(child)[0] == 1

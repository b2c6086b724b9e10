"""The end of a program: whatever way it comes, events are on disk, the rest is said, and nothing is raised or hangs."""

import json
import os
import re
import signal

import pytest

#: The start of every program here.
START = """
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
from safewriter import SafeFileWriter as FileWriter
def number(tag="loss"):
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=0.5)])
"""
LINES = START.count("\n")
OPEN = (
    START
    + """writer = FileWriter("logs")
for step in range(7):
    writer.add_summary(number(), step)
"""
)
CREATED = LINES + 1  #: the line of OPEN that creates the writer


def lines_of(outcome):
    """``[(code, line)]`` of what was reported."""
    return [(reported.code, reported.line) for reported in outcome.reported]


class TestRealInterpreters:
    def test_script(self, run_program, tmp_path, read_points):
        """A script that ends without closing: all is on disk, and SW501 points at the line that created the writer."""
        outcome = run_program(OPEN)
        assert outcome.exit_code == 0
        assert lines_of(outcome) == [("SW501", CREATED)]
        assert outcome.reported[0].file == "program.py"
        assert "7 events" in outcome.reported[0].text
        assert "Writer created at program.py:" in outcome.reported[0].text
        assert len(read_points(tmp_path / "logs")["loss"]) == 7

    def test_python_c(self, run_program, tmp_path, read_points):
        """``python -c``: the place is the line of the text."""
        outcome = run_program(command=OPEN)
        assert outcome.exit_code == 0
        assert lines_of(outcome) == [("SW501", CREATED)]
        assert outcome.reported[0].file == "<string>"
        assert len(read_points(tmp_path / "logs")["loss"]) == 7

    def test_warnings_as_errors(self, run_program):
        """``-W error::UserWarning``: at exit nothing is raised, and the warning is shown all the same."""
        outcome = run_program(OPEN, flags=("-W", "error::UserWarning"))
        assert outcome.exit_code == 0
        assert lines_of(outcome) == [("SW501", CREATED)]
        assert "Traceback" not in outcome.stderr

    def test_ipython(self, run_program, tmp_path, read_points):
        """IPython runs a script: the same."""
        (tmp_path / "script.py").write_text(OPEN)
        outcome = run_program(
            "", "--simple-prompt", "script.py",
            env={"IPYTHONDIR": str(tmp_path / "ipython")},
            command="import sys; from IPython import start_ipython; sys.exit(start_ipython(sys.argv[1:]))",
        )  # fmt: skip
        assert lines_of(outcome) == [("SW501", CREATED)], outcome
        assert outcome.reported[0].file == "script.py"
        assert len(read_points(tmp_path / "logs")["loss"]) == 7

    def test_pytest(self, run_program, tmp_path):
        """A test that leaves a writer open passes, even where warnings are errors; SW501 comes at the end."""
        (tmp_path / "test_user.py").write_text(f"""{START}
kept = []
def test_training():
    with tf.Graph().as_default():
        kept.append(FileWriter("logs"))
        kept[0].add_summary(number(), 1)
""")
        outcome = run_program(
            "", "-q", "-p", "no:cacheprovider", "-W", "error::UserWarning", "test_user.py",
            command="import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))",
        )  # fmt: skip
        assert outcome.exit_code == 0, outcome
        assert "1 passed" in outcome.stdout
        assert [(reported.code, reported.file) for reported in outcome.reported] == [("SW501", "test_user.py")]


NOTEBOOK = [
    START + "x = tf.placeholder(tf.float32, [])\nloss = tf.summary.scalar('loss', x)\nmerged = tf.summary.merge_all()",
    "writer = FileWriter('logs', tf.get_default_graph())\nwith tf.Session() as sess:\n    sess.run(merged, {x: 1})",
    "writer.close()",
    "writer = FileWriter('more', ignore='SW302')\nfor step in range(7):\n    writer.add_summary(number(), step)",
    "import gc\ndel writer\n_ = gc.collect()",
    "last = FileWriter('last')\nlast.add_summary(number(), 0)",
    "last.report()",
    "import safewriter\nsafewriter.audit_logdir('last')",
]


def test_notebook(tmp_path, monkeypatch, read_points):
    """In a notebook warnings come below the cell that caused them and name its line, and all is on disk at the end."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    cells = [nbformat.v4.new_code_cell(source) for source in NOTEBOOK]
    client = nbclient.NotebookClient(
        nbformat.v4.new_notebook(cells=cells), timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]
    codes = [re.findall(r"Warning: (SW\d+) ", text) for text in shown]
    assert codes == [[], [], ["SW302"], [], ["SW501"], [], [], []], shown
    for cell in cells[-2:]:
        (report,) = cell.outputs
        assert report["data"]["text/html"].startswith("<table>")
    assert re.search(r"/\d+\.py:1: GraphWarning", shown[2])
    assert "the merge op at " in shown[2].lower()
    assert len(read_points(tmp_path / "more")["loss"]) == 7
    assert len(read_points(tmp_path / "last")["loss"]) == 1


class TestWaysToEnd:
    """In forks of one interpreter, each of which ends as any does."""

    @pytest.mark.parametrize(
        ("end", "exit_code", "reported"),
        [
            ("import sys; sys.exit(3)", 3, ["SW501"]),
            ("raise KeyError('broken')", 1, ["SW501"]),
            ("raise KeyboardInterrupt", -signal.SIGINT, ["SW501"]),
            ("raise SystemExit", 0, ["SW501"]),
            ("import threading; threading.Thread(target=writer.add_summary, args=(number(), 7)).start()", 0, ["SW501"]),
            ("writer.flush()", 0, []),
            ("writer.close()", 0, []),
            ("import os; os._exit(4)", 4, []),
            ("import os; os.abort()", -signal.SIGABRT, []),
            ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, []),
            ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM, []),
            ("del writer", 0, ["SW501"]),
            ("writer.me = writer; del writer", 0, ["SW501"]),
            ("import sys; sys.stderr = None", 0, []),
            ("import sys; sys.stderr.close()", 0, []),
            ("import atexit; atexit.register(lambda: writer.add_summary(number(), 8))", 0, ["SW501"]),
            ("import atexit; atexit.register(writer.close)", 0, []),
            ("import threading; threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()",
             0, ["SW501"]),
            ("import sys; sys.modules['kept'] = writer; del writer", 0, ["SW501"]),
            ("import warnings; warnings.simplefilter('ignore')", 0, []),
            ("import warnings; warnings.simplefilter('error')", 0, ["SW501"]),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )  # fmt: skip
    def test_end(self, run_forked, tmp_path, read_points, end, exit_code, reported):
        """Every event is on disk, the exit code is the program's, and what can be reported is reported once."""
        outcome = run_forked(OPEN + end + "\n")
        assert outcome.exit_code == exit_code, outcome.stderr
        assert lines_of(outcome) == [(code, CREATED) for code in reported], outcome.stderr
        assert len(read_points(tmp_path / "logs")["loss"]) >= 7
        assert "Exception ignored" not in outcome.stderr

    def test_graph_is_judged_at_the_end(self, run_forked):
        """Summary ops that no writer got are reported at the end, for writers left open and closed ones alike."""
        outcome = run_forked(
            START
            + """x = tf.placeholder(tf.float32)
first = tf.summary.scalar("first", x)
second = tf.summary.scalar("second", x)
merged = tf.summary.merge([first])
writer = FileWriter("logs")
with tf.Session() as sess:
    writer.add_summary(sess.run(merged, {x: 1}), 1)
"""
        )
        assert lines_of(outcome) == [("SW501", LINES + 5), ("SW303", LINES + 5)]
        assert f"program.py:{LINES + 3}" in outcome.reported[1].text

    def test_writers_end_in_the_order_of_their_creation(self, run_forked):
        """Several writers left open are each reported, in order."""
        outcome = run_forked(
            START
            + """writers = [
    FileWriter("logs/a"),
    FileWriter("logs/b"),
    FileWriter("logs/c"),
]
for writer in writers:
    writer.add_summary(number(), 1)
"""
        )
        assert [reported.code for reported in outcome.reported] == ["SW501"] * 3
        assert [reported.line for reported in outcome.reported] == [LINES + 2, LINES + 3, LINES + 4]

    def test_writers_of_a_loop_are_summed_up(self, run_forked, tmp_path, read_points):
        """A line that creates a writer per epoch and closes none is reported at the first, and once for all others."""
        loop = """import sys
for epoch in range(20):
    writer = FileWriter(f"{sys.argv[1]}/{epoch}")
    for step in range(3):
        writer.add_summary(number(), step)
"""
        for logdir, keep in (("dropped", ""), ("kept", "    kept = [*globals().get('kept', []), writer]\n")):
            outcome = run_forked(START + loop + keep, logdir)
            assert lines_of(outcome) == [("SW501", LINES + 3)] * 2
            assert "19 more writers" in outcome.reported[1].text
            assert "57 events" in outcome.reported[1].text
            assert all(len(read_points(tmp_path / logdir / str(epoch))["loss"]) == 3 for epoch in range(20))

    def test_used_after_close_is_summed_up(self, run_forked):
        """Each add after close warns as the stock class does; the sum comes once, at the end."""
        outcome = run_forked(
            OPEN
            + """writer.close()
for step in range(5):
    writer.add_summary(number(), step)
    writer.add_event(tf.Event(step=step))
"""
        )
        assert lines_of(outcome) == [("SW504", CREATED)]
        assert "10 events" in outcome.reported[0].text
        stock = re.findall(r"program\.py:(\d+): UserWarning: Attempting to use a closed FileWriter", outcome.stderr)
        assert stock == [str(CREATED + 5), str(CREATED + 6)]  # Python shows each line's once

    def test_used_after_close_is_told_at_close(self, run_forked):
        """A second close tells it at its line, and the end says no more."""
        outcome = run_forked(OPEN + "writer.close()\nwriter.add_summary(number(), 7)\nwriter.close()\n")
        assert lines_of(outcome) == [("SW504", CREATED + 5)]

    def test_collected_writer_tells_at_once(self, run_forked):
        """A writer that is dropped is ended there and then: the program can go on for days."""
        outcome = run_forked(OPEN + "del writer\nimport sys\nprint('after', file=sys.stderr)\n")
        assert lines_of(outcome) == [("SW501", CREATED)]
        assert "was dropped without being closed" in outcome.reported[0].text
        assert outcome.stderr.index("SW501") < outcome.stderr.index("after")

    def test_multiprocessing(self, run_forked, tmp_path, read_points):
        """A child of multiprocessing, which ends without Python's exit hooks, has its events on disk."""
        outcome = run_forked(
            START
            + """import multiprocessing
def work():
    child_writer = FileWriter("logs/child")
    for step in range(7):
        child_writer.add_summary(number(), step)
process = multiprocessing.get_context("fork").Process(target=work)
process.start()
process.join()
assert process.exitcode == 0
"""
        )
        assert outcome.exit_code == 0, outcome.stderr
        assert set(outcome.codes) <= {"SW501"}
        assert len(read_points(tmp_path / "logs" / "child")["loss"]) == 7

    def test_child_of_a_fork_does_not_end_its_parents_writer(self, run_forked, tmp_path, read_points):
        """A forked child that exits normally writes nothing and tells nothing of its parent's writer."""
        outcome = run_forked(
            OPEN
            + """import os, sys
if os.fork() == 0:
    sys.exit(0)
os.wait()
writer.close()
"""
        )
        assert lines_of(outcome) == []
        assert len(read_points(tmp_path / "logs")["loss"]) == 7


class TestStrict:
    def test_never_at_exit(self, run_forked):
        """``strict`` raises nothing when the program ends: it warns, and the exit code stays."""
        outcome = run_forked(OPEN.replace('"logs"', '"logs", strict=True'))
        assert outcome.exit_code == 0
        assert lines_of(outcome) == [("SW501", CREATED)]

    def test_in_the_call(self, run_forked):
        """Where the program can catch it, it is raised at the call."""
        outcome = run_forked(OPEN.replace('"logs"', '"logs", strict=True') + "writer.add_summary(number(), 3)\n")
        assert outcome.exit_code == 1
        assert lines_of(outcome)[0] == ("SW403", CREATED + 3)

    def test_at_close(self, run_forked):
        """At ``close`` it is raised when the file is closed and everything is reported."""
        source = (
            START
            + """import shutil
writer = FileWriter("logs", strict=True)
writer.add_summary(number(), 1)
shutil.rmtree("logs")
try:
    writer.close()
finally:
    writer.close()
"""
        )
        outcome = run_forked(source)
        assert outcome.exit_code == 1
        assert lines_of(outcome) == [("SW503", LINES + 6)]

    def test_never_in_place_of_another_exception(self, run_forked):
        """While an exception leaves the with-block, it stays the one that leaves; findings are warned."""
        outcome = run_forked(
            START
            + """import shutil
with FileWriter("logs", strict=True) as writer:
    writer.add_summary(number(), 1)
    shutil.rmtree("logs")
    raise KeyError("the user's own")
"""
        )
        assert outcome.exit_code == 1
        assert outcome.stderr.rstrip().endswith('KeyError: "the user\'s own"')
        assert lines_of(outcome) == [("SW503", LINES + 2)]

    def test_never_in_place_of_another_exception_by_a_filter(self, run_forked):
        """Nor does a warning filter that says ``error`` put another in its place."""
        outcome = run_forked(
            START
            + """import shutil
with FileWriter("logs") as writer:
    writer.add_summary(number(), 1)
    shutil.rmtree("logs")
    raise KeyError("the user's own")
""",
            strict_warnings=True,
        )
        assert outcome.stderr.rstrip().endswith('KeyError: "the user\'s own"')
        assert lines_of(outcome) == [("SW503", LINES + 2)]

    def test_filter_that_says_error(self, run_forked):
        """``-W error`` raises the warning itself at the call, as for any warning."""
        outcome = run_forked(OPEN + "writer.add_summary(number(), 3)\n", strict_warnings=True)
        assert outcome.exit_code == 1
        assert re.search(r"^safewriter\.ValuesWarning: SW403 ", outcome.stderr, re.MULTILINE)

    def test_after_close(self, run_forked):
        """Strictness makes an add after close an error at once."""
        outcome = run_forked(
            OPEN.replace('"logs"', '"logs", strict=True') + "writer.close()\nwriter.add_summary(number(), 7)\n"
        )
        assert outcome.exit_code == 1
        assert lines_of(outcome) == [("SW504", CREATED + 4)]


class TestEnvironment:
    def test_strict(self, run_forked):
        """``SAFEWRITER_STRICT=1`` is ``strict=True`` for code that can't be edited."""
        outcome = run_forked(OPEN + "writer.add_summary(number(), 3)\n", env={"SAFEWRITER_STRICT": "1"})
        assert outcome.exit_code == 1
        assert lines_of(outcome)[0] == ("SW403", CREATED + 3)

    @pytest.mark.parametrize("setting", ["SW501", "never-flushed", "SW5", "SW402, never-flushed", "sw501"])
    def test_ignore(self, run_forked, setting):
        """``SAFEWRITER_IGNORE`` takes codes, names and prefixes, with commas between."""
        outcome = run_forked(OPEN, env={"SAFEWRITER_IGNORE": setting})
        assert (outcome.exit_code, outcome.codes) == (0, [])

    def test_unknown(self, run_forked):
        """An unknown code is an error at the first writer that lists the right ones; nothing is made."""
        outcome = run_forked(OPEN, env={"SAFEWRITER_IGNORE": "SW402,SW999"})
        assert outcome.exit_code == 1
        last = outcome.stderr.splitlines()[-1]
        assert last.startswith("ValueError: 'SW999' is no code")
        assert "SW402 no-step" in last
        assert "SW501 never-flushed" in last

    def test_strict_of_another_value(self, run_forked):
        """What is neither yes nor no is an error too."""
        outcome = run_forked(OPEN, env={"SAFEWRITER_STRICT": "perhaps"})
        assert "ValueError: SAFEWRITER_STRICT is 'perhaps'; use 1 or 0." in outcome.stderr


def test_quick_ends_lose_nothing(run_forked, tmp_path, read_points):
    """Twenty programs that add and end at once: no event of any is missing (the stock class loses all now and then)."""
    for run in range(20):
        run_forked(OPEN.replace('"logs"', f'"logs{run}"'))
    assert [len(read_points(tmp_path / f"logs{run}")["loss"]) for run in range(20)] == [7] * 20


def test_report_is_json(run_forked):
    """What a writer reports can be stored at the end of a run."""
    outcome = run_forked(OPEN + "import json\nwriter.close()\nprint(json.dumps(writer.report().as_dict()))\n")
    report = json.loads(outcome.stdout)
    assert (report["events"], report["landed"], report["lost"], report["pending"]) == (7, 7, 0, 0)
    assert report["created_at"] == f"program.py:{CREATED}"
    assert report["tags"]["loss"]["count"] == 7
    assert os.path.basename(report["files"][0]["path"]).startswith("events.out.tfevents.")

"""``safewriter run``: the same program, with a report in the end."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.python.summary.summary_iterator import summary_iterator

from safewriter.cli import main

SCRIPTS = sorted((Path(__file__).parents[1] / "scripts").glob("*.py"))
RUN = ["-m", "safewriter", "run"]


def python(*arguments, cwd, **options):
    """Runs Python and gives what came of it."""
    options.setdefault("timeout", 120)
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, **options)


def contents(directory):
    """Every value below a directory: run, step, tag and the value itself."""
    found = []
    for path in sorted(Path(directory).rglob("events.out.*")):
        for event in summary_iterator(str(path)):
            for value in event.summary.value:
                run = str(path.parent.relative_to(directory))
                kept = value.SerializeToString(deterministic=True)
                if value.tag == "global_step/sec":  # of an Estimator: a speed
                    kept = b""
                found.append((run, event.step, value.tag, kept))
    return sorted(found)


def of_estimator(script):
    """Skips a script that needs what TensorFlow has given up."""
    if script.stem == "estimator_loop" and not hasattr(tf, "estimator"):
        pytest.skip("this TensorFlow has no Estimator any more")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_the_same_with_and_without(script, tmp_path):
    """Under ``run`` a training script writes the same values, prints the same and ends with the same status."""
    of_estimator(script)
    plain = python(script, tmp_path / "logs", cwd=tmp_path)
    before = contents(tmp_path / "logs")
    (tmp_path / "logs").rename(tmp_path / "before")
    watched = python(*RUN, "--report", "report.json", script, tmp_path / "logs", cwd=tmp_path)
    assert contents(tmp_path / "logs") == before
    assert before
    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout)
    report = json.loads((tmp_path / "report.json").read_text())
    assert [each["findings"] for each in report["processes"]] == [[]] * len(report["processes"]), watched.stderr
    assert "nothing to report" in watched.stderr
    assert watched.stderr.count("safewriter") == 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_broken_variant_is_reported(script, tmp_path):
    """The same script with one line that is wrong: its code is in the report, with its hint, and is no other."""
    of_estimator(script)
    text = script.read_text()
    codes = re.search(r"^reported: (.*)$", text, re.M)[1].split()
    broken = re.sub(r"^( *)\S.*  # broken: (.*)$", r"\1\2", text, flags=re.M)
    assert broken != text
    (tmp_path / "broken.py").write_text(broken)
    watched = python(*RUN, "--strict", "--report", "report.json", "broken.py", tmp_path / "logs", cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    findings = [finding for each in report["processes"] for finding in each["findings"]]
    assert {finding["code"] for finding in findings} == set(codes), watched.stderr
    assert all(f"safewriter explain {code}" in watched.stderr for code in codes)
    assert "broken.py:" in watched.stderr
    assert watched.returncode == (report["script_exit_code"] or 121)


def test_everything_that_creates_a_writer(tmp_path):
    """Whichever name a writer is created by, it is safewriter's, and still of the class that was asked for."""
    (tmp_path / "names.py").write_text(
        """
import sys
assert "tensorflow" not in sys.modules and "google.protobuf" not in sys.modules
import tensorflow.compat.v1 as tf
from tensorflow.compat.v1.summary import FileWriter as first
from tensorflow.python.summary.writer.writer import FileWriter as second
from tensorflow.python.training.summary_io import SummaryWriter, SummaryWriterCache
import safewriter
tf.disable_v2_behavior()
class Mine(second):
    def __init__(self, logdir):
        self.before = True
        super(Mine, self).__init__(logdir, flush_secs=1)
    def close(self):
        self.closed_by_me = True
        super().close()
class Explicit(tf.summary.FileWriter):
    def __init__(self, logdir):
        tf.summary.FileWriter.__init__(self, logdir)
made = [first("a"), second("b"), tf.summary.FileWriter("c"), tf.summary.FileWriterCache.get("d"), Mine("e"),
        Explicit("f"), SummaryWriter("g"), SummaryWriterCache.get("h")]
for each in made:
    assert isinstance(each, safewriter.SafeFileWriter) and isinstance(each, tf.summary.FileWriter)
    each.close()
assert isinstance(made[4], Mine) and made[4].before and made[4].closed_by_me
hook = tf.train.SummarySaverHook(save_steps=1, output_dir="i", summary_op=tf.summary.scalar("x", 1.0))
step = tf.train.get_or_create_global_step()
increment = step.assign_add(1)
with tf.train.MonitoredTrainingSession(checkpoint_dir="j", hooks=[hook], save_summaries_steps=1) as session:
    for _ in range(3):
        session.run(increment)
supervisor = tf.train.Supervisor(logdir="k", save_model_secs=0, save_summaries_secs=0)
assert isinstance(supervisor.summary_writer, safewriter.SafeFileWriter)
supervisor.summary_writer.close()
"""
    )
    watched = python(*RUN, "names.py", cwd=tmp_path)
    assert watched.returncode == 0, watched.stderr
    last = watched.stderr.splitlines()[-1]
    assert last == "safewriter: 11 writers, 20 events on disk, as many as were accepted; nothing to report."


def test_how_a_script_sees_itself(tmp_path):
    """Arguments, path, main module and a traceback are those that Python gives, with ``-m`` too."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    program = (
        "import sys\n"
        "print(sys.argv, sys.path, __name__, __file__, __spec__ and __spec__.name, sys.flags.optimize)\n"
        "print(sys.meta_path[-1], 'numpy' in sys.modules, sorted(vars()))\n"
        "def f():\n    raise LookupError('x')\nf()\n"
    )
    (tmp_path / "package" / "shows.py").write_text(program)
    for way in (["package/shows.py", "--report", "-x"], ["-m", "package.shows", "--strict"]):
        plain, watched = python(*way, cwd=tmp_path), python(*RUN, *way, cwd=tmp_path)
        assert watched.stdout == plain.stdout
        assert watched.stderr == plain.stderr
        assert watched.returncode == plain.returncode == 1


@pytest.mark.parametrize("name", ["missing.py", "directory", "broken.py", "-m missing_module", "raises.py", "."])
def test_a_script_that_can_not_run(name, tmp_path):
    """A script that is missing, a directory, not Python, or that raises: what Python says, and its exit code."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "broken.py").write_text("this is not Python\n")
    (tmp_path / "raises.py").write_text("import nowhere_to_be_found\n")
    plain, watched = python(*name.split(), cwd=tmp_path), python(*RUN, *name.split(), cwd=tmp_path)
    assert (watched.returncode, watched.stdout, watched.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert plain.returncode


def test_wrong_use(tmp_path, capsys, monkeypatch):
    """An unknown code, a report that can't be written, and no script at all end with 2 before anything runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text("print('it ran')")
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--ignore", "SW999", "script.py"])
    assert "SW302" in capsys.readouterr().err  # the list of the right ones
    assert main(["run", "--report", "no/where.json", "script.py"]) == 2
    assert "no/where.json" in capsys.readouterr().err
    assert main(["run"]) == 2
    assert main(["run", "-m"]) == 2
    assert "name a script" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.json"))


SPAWNS = """
import multiprocessing, os, subprocess, sys
def write(name):
    import tensorflow.compat.v1 as tf
    tf.disable_v2_behavior()
    with tf.summary.FileWriter(name) as writer:
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag=name, simple_value=1.0)]), 1)
        if name == "killed":
            os.kill(os.getpid(), 9)
if __name__ == "__main__":
    if sys.argv[1:]:
        write(sys.argv[1])
    else:
        for way in ("spawn", "forkserver"):
            process = multiprocessing.get_context(way).Process(target=write, args=(way,))
            process.start()
            process.join()
            print(way, process.exitcode)
        print(subprocess.call([sys.executable, __file__, "sub"]), subprocess.call([sys.executable, __file__, "killed"]))
"""


def test_child_processes(tmp_path):
    """Writers of spawned, forked and called processes are in the report, also of one that was killed."""
    (tmp_path / "spawns.py").write_text(SPAWNS)
    watched = python(*RUN, "--report", "r.json", "spawns.py", cwd=tmp_path)
    assert watched.stdout.split() == ["spawn", "0", "forkserver", "0", "0", "-9"], watched.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    writers = {writer["logdir"]: writer for each in report["processes"] for writer in each["writers"]}
    assert set(writers) == {"spawn", "forkserver", "sub", "killed"}
    assert [writers[name]["landed"] for name in ("spawn", "forkserver", "sub", "killed")] == [1, 1, 1, 1]
    assert "ended before the writer was closed" in watched.stderr
    assert report["schema"] == 1


REPLICAS = """
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

@tf.function
def train(step):
    strategy.run(lambda: tf.summary.scalar("rate", 0.1, step=step))

with tf.summary.create_file_writer("logs").as_default():
    for step in tf.range(5, dtype=tf.int64):
        train(step)
"""


def test_a_replicas_summary_is_a_note(tmp_path):
    """SW205 stands below the report with its line, is no finding, and can be left out."""
    (tmp_path / "train.py").write_text(REPLICAS)
    watched = python(*RUN, "--strict", "--report", "r.json", "train.py", cwd=tmp_path)
    assert watched.returncode == 0
    assert "nothing to report but 1 note." in watched.stderr
    assert "Note: SW205 replica-value: The summary at train.py:10 is written in a replica" in watched.stderr
    (process,) = json.loads((tmp_path / "r.json").read_text())["processes"]
    assert process["findings"] == []
    assert [note["code"] for writer in process["writers"] for note in writer["notes"]] == ["SW205"]
    assert "SW205" not in python(*RUN, "--ignore", "SW205", "train.py", cwd=tmp_path).stderr


WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: print("usr1", flush=True))
try:
    print(os.getpid(), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(9)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_signals(tmp_path):
    """Signals reach the script, which ends as it would; one that ends it ends the command with the same signal."""
    (tmp_path / "waits.py").write_text(WAITS)

    def begin():
        process = subprocess.Popen(
            [sys.executable, *RUN, "waits.py"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        return process, int(process.stdout.readline())

    process, _ = begin()
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "usr1\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("interrupted\n", "")
    assert process.returncode == 9
    process, _ = begin()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    process, child = begin()
    os.kill(child, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_no_writer_at_all(tmp_path):
    """A program that defines summaries and never creates a writer hears of it; one without TensorFlow, one line."""
    (tmp_path / "defines.py").write_text(
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\ntf.summary.scalar('loss', tf.constant(1.0))\n"
    )
    (tmp_path / "nothing.py").write_text("print('hello')\n")
    assert "'loss', at defines.py:3" in python(*RUN, "defines.py", cwd=tmp_path).stderr.splitlines()[-1]
    quiet = python(*RUN, "nothing.py", cwd=tmp_path)
    assert quiet.stderr == "safewriter: no summary writer was created.\n"


def test_ignored_codes_and_other_sitecustomize(tmp_path):
    """``--ignore`` holds in the script, and the environment's own ``sitecustomize`` has its turn."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('customized')\n")
    (tmp_path / "script.py").write_text(
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\nwith tf.summary.FileWriter('logs') as w:\n"
        "    w.add_summary(tf.Summary(value=[tf.Summary.Value(tag='a', simple_value=float('nan'))]), 1)\n"
    )
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = [*RUN, "--strict", "--ignore", "not-finite", "script.py"]
    watched = python(*run, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    assert watched.stdout.count("customized") == 2  # of the command itself, and of the script
    assert watched.returncode == 0
    assert "nothing to report" in watched.stderr

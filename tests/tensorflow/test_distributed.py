"""Real workers over the loopback: what is reported, and what of their events lands."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest
import strategy_table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = os.path.join(ROOT, "tests", "support")
SECONDS = 120  # that any child may take
#: Variables of a launcher under which the tests themselves may run.
FOREIGN = ("TF_CONFIG", "RANK", "WORLD_SIZE", "OMPI_", "PMI_", "SLURM_", "HOROVOD_", "SAFEWRITER_", "PYTHONWARN")


class Processes:
    """Child processes that are gone at the end of the block, with theirs, whatever happens in it."""

    def __init__(self):
        self._children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
        for child in self._children:
            child.communicate()

    def start(self, arguments, *, cwd=None, env=None):
        """Starts a Python process with pipes at all ends."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        child = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            env={**clean, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._children.append(child)
        return child


def finish(child, text=""):
    """What a child printed; it must end well and in time."""
    output, errors = child.communicate(text, timeout=SECONDS)
    assert child.returncode == 0, errors
    return output


def tf_configs(**sizes):
    """A ``TF_CONFIG`` for each task of a cluster, by ``(job, index)``."""
    ports = iter(strategy_table.free_ports(sum(sizes.values())))
    cluster = {job: [f"127.0.0.1:{next(ports)}" for _ in range(size)] for job, size in sizes.items()}
    tasks = [(job, index) for job, size in sizes.items() for index in range(size)]
    return {task: config_of(cluster, *task) for task in tasks}


def config_of(cluster, job, index):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})}


def steps(read_points, directory, tag="loss"):
    return [step for step, _ in read_points(directory)[tag]]


# The programs of the page.


#: The run that the page's resumed one goes on from.
STOPPED = """
with new_writer("logs") as writer:
    for step in range(80):
        writer.add_summary(scalar("loss", 0.9**step), step)
"""


def blocks():
    """The programs of the page by their names, each with the lines that all begin with."""
    with open(strategy_table.PAGE, encoding="utf-8") as file:
        found = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL))
    prelude = found.pop("prelude")
    found["stopped"] = STOPPED
    return {name: f"{prelude}\n\n{text}" for name, text in found.items()}


class Pages:
    """Starts programs of the page in processes of their own."""

    def __init__(self, processes, tmp_path):
        self._processes = processes
        self._tmp_path = tmp_path

    def directory(self, name):
        path = self._tmp_path / name
        path.mkdir(exist_ok=True)
        return path

    def start(self, *names, more="", cwd=None, env=None):
        """Starts one process that runs these programs in turn; the same directory for processes of one name."""
        jobs = [(str(self.directory(cwd or name)), blocks()[name] + more) for name in names]
        child = self._processes.start([os.path.join(TESTS, "distributed_blocks.py")], env=env)
        child.stdin.write(json.dumps(jobs))
        child.stdin.close()
        child.stdin = None
        return child


def reported(child, *, messages=False):
    """The codes reported in a process of the page's programs, for each program; with their messages."""
    programs = json.loads(finish(child, None).splitlines()[-1])
    return programs if messages else [[code for code, _ in findings] for findings in programs]


@pytest.fixture
def pages(tmp_path):
    with Processes() as processes:
        yield Pages(processes, tmp_path)


def test_every_program_of_the_page_is_run_here():
    """A program that is added to the page needs a test."""
    assert set(blocks()) - {"stopped"} == {
        "mirrored",
        "central",
        "chief",
        "each",
        "evaluator",
        "coordinator",
        "launcher",
        "resume",
    }


def test_the_programs_of_the_page_are_short():
    """Ten lines and a few show the right place."""
    for name, text in blocks().items():
        lines = [line for line in text.split("simple_value=float(value))])\n")[1].splitlines() if line.strip()]
        assert len(lines) <= 16, name


def test_programs_of_one_process(pages, tmp_path, read_points):
    """Mirrored and central storage, and a run that goes on: each silent, with all points."""
    child = pages.start("stopped", "resume", cwd="resume")
    others = pages.start("mirrored", "central")
    assert reported(child) == reported(others) == [[], []]
    for name in ("mirrored", "central"):
        assert steps(read_points, tmp_path / name / "logs") == list(range(20))
    assert steps(read_points, tmp_path / "resume" / "logs") == [*range(80), *range(61, 100)]


def test_three_workers_and_an_evaluator(pages, tmp_path, read_points):
    """The chief alone writes, the evaluator beside it into a directory of its own: all silent, all points there."""
    configs = tf_configs(worker=3)
    cluster = json.loads(configs["worker", 0]["TF_CONFIG"])["cluster"]
    evaluator = pages.start("evaluator", cwd="run", env=config_of(cluster, "evaluator", 0))
    workers = [pages.start("chief", cwd="run", env=config) for config in configs.values()]
    assert [reported(child) for child in (evaluator, *workers)] == [[[]]] * 4
    logs = tmp_path / "run" / "logs"
    assert steps(read_points, logs) == list(range(20))
    assert steps(read_points, logs / "eval", "accuracy") == list(range(20))
    assert len([name for name in os.listdir(logs) if "tfevents" in name]) == 1


def test_a_directory_for_each_worker_and_ranks_of_a_launcher(pages, tmp_path, read_points):
    """Two workers that write side by side are both right; of two ranks of a launcher, rank 0 writes."""
    launched = [{"OMPI_COMM_WORLD_RANK": str(rank), "OMPI_COMM_WORLD_SIZE": "2"} for rank in range(2)]
    configs = tf_configs(worker=2).values()
    workers = [
        pages.start("each", "launcher", env={**config, **ranks})
        for config, ranks in zip(configs, launched, strict=True)
    ]
    assert [reported(child) for child in workers] == [[[], []]] * 2
    for index in range(2):
        assert steps(read_points, tmp_path / "each" / "logs" / f"worker{index}") == list(range(20))
    assert steps(read_points, tmp_path / "launcher" / "logs") == list(range(20))


#: After the page's program: a writer in the scope, and one in a function that is scheduled.
WRONG = """
with strategy.scope():
    new_writer("scope").close()


@tf.function
def scheduled():
    new_writer("scheduled").close()
    return tf.constant(0)


coordinator.schedule(scheduled)
coordinator.join()
"""


def test_a_coordinator_with_a_worker_and_a_parameter_server(pages, tmp_path, read_points):
    """The coordinator's writer is right, its scope and a function that it schedules are reported."""
    configs = tf_configs(chief=1, worker=1, ps=1)
    chief, *_ = [pages.start("coordinator", more=WRONG, env=config) for config in configs.values()]
    ((scope, scheduled),) = reported(chief, messages=True)
    assert scope[0] == "SW201"
    assert "inside the scope of ParameterServerStrategy" in scope[1]
    assert "Role of this process: chief 0 of 1 (TF_CONFIG)" in scope[1]
    assert scheduled[0] == "SW202"
    assert "while 'scheduled' was traced" in scheduled[1]
    assert steps(read_points, tmp_path / "coordinator" / "logs") == list(range(20))


# The same done wrong.


def test_two_workers_in_one_directory():
    """The example: some of the stock writer's events are gone in silence; all of ours are there, and both warn."""
    with Processes() as processes:
        output = finish(processes.start([os.path.join(ROOT, "examples", "multi_worker.py")]))
    runs = {run.splitlines()[0].split(":")[0]: run for run in output.strip().split("\n\n")}
    assert "100 events accepted, 50 on disk" in runs["FileWriter, one directory"]
    assert "nobody was warned" in runs["FileWriter, one directory"]
    broken = runs["SafeFileWriter, one directory"]
    assert "100 events accepted, 100 on disk" in broken
    assert re.findall(r"worker (\d) was warned: (SW\d+)", broken) == [
        ("0", "SW201"),
        ("0", "SW203"),
        ("1", "SW201"),
        ("1", "SW203"),
    ]
    assert "MultiWorkerMirroredStrategy (2 replicas)" in broken
    assert "Role of this process: worker 1 of 2 (TF_CONFIG)" in broken
    assert "50 events accepted, 50 on disk" in runs["SafeFileWriter, chief only"]
    assert "100 events accepted, 100 on disk" in runs["SafeFileWriter, one each"]
    for fixed in ("SafeFileWriter, chief only", "SafeFileWriter, one each"):
        assert "nobody was warned" in runs[fixed]


# A worker that is killed and started again.


#: A worker that obeys: "open DIRECTORY RESUME_STEP", "write FIRST LAST", "close"; it answers with the codes reported.
OBEDIENT = """
import json, sys, warnings
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter

tf.disable_eager_execution()
warnings.simplefilter("always")
writers = []
reported = []
warnings.showwarning = lambda message, *_: reported.append(getattr(message, "finding", None))
print("ready", flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    if word == "open":
        writers.append(SafeFileWriter(rest[0], resume_step=int(rest[1]) if len(rest) > 1 else None))
    elif word == "write":
        for step in range(int(rest[0]), int(rest[1])):
            value = tf.Summary.Value(tag="loss", simple_value=step)
            for writer in writers:
                writer.add_summary(tf.Summary(value=[value]), step)
    elif word == "close":
        for writer in writers:
            writer.close()
    print(json.dumps([[each.code, each.message] for each in reported if each is not None]), flush=True)
    reported.clear()
"""


class Worker:
    def __init__(self, processes, cwd, rank):
        environment = {"RANK": str(rank), "WORLD_SIZE": "2"}
        self.child = processes.start(["-c", OBEDIENT], cwd=cwd, env=environment)

    def is_ready(self):
        assert self.child.stdout.readline() == "ready\n", self.child.stderr.read()
        return self

    def __call__(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def kill(self):
        self.child.kill()
        self.child.wait()


def test_a_worker_killed_in_mid_run_and_started_again(tmp_path, read_points):
    """In a directory of its own it goes on in silence; in a shared one, it and the survivor are warned."""
    with Processes() as processes:
        survivor, victim = [Worker(processes, tmp_path, rank) for rank in range(2)]
        survivor.is_ready()
        victim.is_ready()
        assert survivor("open shared") == []
        assert [code for code, _ in victim("open shared")] == ["SW203"]
        assert victim("open own") == []
        assert survivor("write 0 30") == victim("write 0 30") == []
        victim.kill()

        again = Worker(processes, tmp_path, 1).is_ready()
        assert again("open own 20") == []  # killed, so that its file does not grow
        assert survivor("write 30 50") == again("write 21 50") == []
        assert again("open shared") == []  # the survivor's file is older than this process: no evidence yet
        assert survivor("write 50 60") == []
        ((code, message),) = survivor("close")
        assert code == "SW203"
        assert f"process {again.child.pid} on" in message
        assert f"process {victim.child.pid} on" not in message
        assert "rank 1 of 2 (torchrun)" in message
        assert "Role of this process: rank 0 of 2 (torchrun)" in message
        ((code, message),) = again("close")
        assert code == "SW203"
        assert "grew from" in message
    assert sorted(steps(read_points, tmp_path / "shared")) == sorted([*range(60), *range(30)])
    assert steps(read_points, tmp_path / "own") == [*range(30), *range(21, 50)]

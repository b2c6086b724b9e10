"""Whatever fails in safewriter itself, the event goes its way: each check and each look in turn is made to fail."""

import collections
import contextlib
import gc
import glob
import importlib
import inspect
import os
import pkgutil
import shutil
import sys
import uuid

import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf

import safewriter
from safewriter import SafeFileWriter, create_file_writer
from safewriter.recording import scope

#: Where checks and looks are: all that judges, and all that gathers facts for the judges.
ROOMS = ("safewriter.checks", "safewriter.system", "safewriter.facts")
MODULES = (
    "safewriter.recording.graphs",
    "safewriter.recording.growing",
    "safewriter.recording.usage",
    "safewriter.recording.watch",
    "safewriter.eventfile.read",
    "safewriter.eventfile.names",
    "safewriter.findings.wording",
)
#: Those that stand beside other things.
LOOKS = (
    "safewriter.recording.files._Losses.gone",
    "safewriter.recording.files._Losses.report_gone",
    "safewriter.recording.scope._others",
)
#: What is no check: without it no event file can be named, opened or found again.
NEEDED = {
    "safewriter.checks.logdir.scheme_of": "it says whether the path is local",
    "safewriter.eventfile.names.new_name": "it names the event file",
    "safewriter.system.directories.make_directories": "it makes the log directory",
    "safewriter.system.directories.remove_directories": "it takes away what a failed constructor made",
    "safewriter.checks.values.ValuesJudge.__init__": "it is an empty account",
    "safewriter.facts.stock.StockTags.__init__": "it is an empty account",
    "safewriter.recording.growing.ResourceFiles.__init__": "it is an empty account",
    "safewriter.recording.graphs.Graphs.__init__": "it is an empty account",
    "safewriter.recording.watch.whole_resume_step": "it checks an argument, and raises for a wrong one",
}


def targets():
    """``{qualified name: (holder, attribute, function)}`` of each function and method of the checks and looks."""
    names = list(MODULES)
    for room in ROOMS:
        package = importlib.import_module(room)
        names += [f"{room}.{each.name}" for each in pkgutil.iter_modules(package.__path__)]
    found = {}
    for name in names:
        module = importlib.import_module(name)
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != name:
                continue
            if inspect.isfunction(value):
                found[f"{name}.{attribute}"] = (module, attribute, value)
            elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
                for method, function in vars(value).items():
                    plain = not method.startswith("__") or method == "__init__"
                    if plain and inspect.isfunction(function) and function.__code__.co_filename == module.__file__:
                        found[f"{name}.{attribute}.{method}"] = (value, method, function)
    for name in LOOKS:
        where, attribute = name.rsplit(".", 1)
        holder = pkgutil.resolve_name(where)
        found[name] = (holder, attribute, vars(holder)[attribute])
    return {name: target for name, target in found.items() if name not in NEEDED}


TARGETS = targets()


@contextlib.contextmanager
def failing(name, monkeypatch):
    """Lets one function fail, wherever it was imported to; yields the number of its calls."""
    holder, attribute, function = TARGETS[name]
    calls = []

    def broken(*_, **__):
        calls.append(name)
        raise ZeroDivisionError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(holder, attribute, broken)
        for module in [each for key, each in sys.modules.items() if key.startswith("safewriter")]:
            for key, value in list(vars(module).items()):
                if value is function:
                    patch.setattr(module, key, broken)
        yield calls


def number(value):
    return tf.Summary(value=[tf.Summary.Value(tag="number", simple_value=value)])


def program(logdir, session, added):
    """A training loop to which everything happens that has a check: all of it must go through."""
    graph = tf.get_default_graph()
    x = tf.placeholder(tf.float32, [])
    tf.summary.scalar("never", x)
    merged = tf.summary.merge([tf.summary.scalar("loss", x)])
    remote = "://" in logdir
    options = {} if session is None else {"session": session}
    writer = SafeFileWriter(logdir, graph, **options)
    other = SafeFileWriter(logdir)

    def add(value):
        writer.add_summary(number(value), value)
        added.append(value)

    with tf.Session() as running:
        writer.add_summary(running.run(merged, {x: 1.0}), 0)
    for value in range(1, 6):
        add(value)
        tf.constant(value)
    writer.add_summary(number(float("nan")), 3)
    writer.flush()
    add(6)
    writer.close()
    writer.add_summary(number(99), 7)
    writer.reopen()
    add(8)
    writer.flush()
    if not remote and session is None:
        os.unlink(writer.report().files[-1].path)
        added.remove(8)
        writer.flush()
    add(9)
    other.close()
    writer.report()
    del other
    scope.current().end()


def program_of_tf2(logdir, _, added):
    """The same with TF2's writer."""
    writer, other = create_file_writer(logdir), create_file_writer(logdir)

    def add(value, writer=writer):
        with writer.as_default():
            tf2.summary.write("number", float(value), step=int(value) if value == value else 3)

    def added_by_a_function(step):
        @tf2.function(autograph=False)
        def function(step):
            tf2.summary.write("number", tf.cast(step, tf.float32), step=step)

        with writer.as_default():
            function(step)

    for value in range(1, 6):
        add(value)
        added.append(value)
    add(float("nan"))
    writer.flush()
    added_by_a_function(tf.constant(6, tf.int64))
    added.append(6)
    writer._events.look_aside()
    if "://" not in logdir:
        add(99, other)  # not looked for: whoever can't judge the state of a file can't know that it is gone
        for file in other.report().files:
            os.unlink(file.path)
        other.flush()
    writer.report()
    writer.close()
    create_file_writer(logdir)  # never used, and dropped
    with tf.Graph().as_default():
        create_file_writer(logdir)
    scope.current().end()


def read(logdir):
    """How often each number is in the event files, by TensorFlow's reader."""
    pattern = os.path.join(logdir, "*tfevents*")
    files = tf.io.gfile.glob(pattern) if "://" in logdir else glob.glob(pattern)
    return collections.Counter(
        int(number)
        for file in files
        for event in tf.train.summary_iterator(file)
        for value in event.summary.value
        if value.tag == "number" and (number := value.simple_value or float(tf.make_ndarray(value.tensor))) < 99
    )


@pytest.mark.filterwarnings("ignore:Attempting to use a closed FileWriter")  # said by TensorFlow
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # where closing is what fails
@pytest.mark.parametrize("backend", ["direct", "queued", "session", "eager", "remote eager"])
def test_no_fault_of_ours_breaks_the_loop(backend, tmp_path, monkeypatch):
    """With any one check or look failing, nothing is raised, SW901 is reported, and every event is on disk once."""
    never, complaints, remote = [], {}, backend in ("queued", "remote eager")
    for name in sorted(TARGETS):
        logdir = f"ram://{uuid.uuid4().hex}" if remote else str(tmp_path / "logs")
        added = []
        with contextlib.ExitStack() as stack:
            graph = None if "eager" in backend else stack.enter_context(tf.Graph().as_default())
            session = stack.enter_context(tf.Session(graph=graph)) if backend == "session" else None
            try:
                with scope.capture() as findings, failing(name, monkeypatch) as calls:
                    (program_of_tf2 if "eager" in backend else program)(logdir, session, added)
            except Exception as error:
                complaints[name] = repr(error)
        reported = "SW901" in {finding.code for finding in findings}
        if not calls:
            never.append(name)
        if reported != bool(calls) and name not in complaints:
            complaints[name] = f"called {len(calls)} times, reported: {reported}"
        if name == "safewriter.checks.landing.judge_state" and 9 in added and backend == "direct":
            added.remove(9)  # whoever can't judge the state of a file can't know that it is gone
        if read(logdir) != collections.Counter(added) and name not in complaints:
            complaints[name] = f"added {added}, found {read(logdir)}"
        if not remote:
            shutil.rmtree(logdir, ignore_errors=True)
    gc.collect()  # files that could not be closed are complained of here, where that is expected
    assert not complaints, "\n".join(f"{name}: {complaint}" for name, complaint in complaints.items())
    assert len(TARGETS) - len(never) > (60 if "eager" in backend else 100), "the program reaches too little"


def test_the_functions_are_found():
    """The walk finds the judges and the looks: the test above can fail."""
    for name in ("safewriter.checks.landing.judge_state", "safewriter.recording.watch.DirectoryWatch.flushed"):
        assert name in TARGETS
    assert len(TARGETS) > 150
    assert safewriter.__version__

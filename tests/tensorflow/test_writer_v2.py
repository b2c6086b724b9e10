"""TF2's writer: what a program may rely on, beside TensorFlow's own, and what is left after each fault."""

import os
import textwrap

import pytest

from safewriter.eventfile.read import read_events

HEAD = """
import os, sys, shutil, signal, time
import tensorflow as tf
import safewriter
create = safewriter.create_file_writer if sys.argv[1] == "ours" else tf.summary.create_file_writer
"""

POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="the fault is made with a POSIX call")


def points(directory):
    """Every scalar below a directory, in the order of the files' names: ``[(tag, step)]``."""
    found = []
    for parent, _, names in sorted(os.walk(directory)):
        for name in sorted(names):
            events = read_events(os.path.join(parent, name), resume=True)
            found += [(value.tag, event.step) for event in events for value in event.summary.value]
    return found


def steps(directory, tag="loss"):
    """The steps of a tag, sorted."""
    return sorted(step for each, step in points(directory) if each == tag)


@pytest.fixture
def program(run_forked, tmp_path):
    """Runs a program with ``create`` as TensorFlow's function or ours; gives its outcome."""

    def run(text, which="ours"):
        where = tmp_path / which
        where.mkdir(exist_ok=True)
        return run_forked(HEAD + textwrap.dedent(text), which, cwd=where)

    return run


#: Behaviour that programs rely on: each prints the same with both.
SAME = {
    "is a SummaryWriter": "print(isinstance(create('logs'), tf.summary.SummaryWriter))",
    "as_default gives the writer": """
        writer = create("logs")
        with writer.as_default() as given:
            print(given is writer)
    """,
    "as_default restores": """
        with create("a").as_default():
            with create("b").as_default(step=7):
                print(tf.summary.experimental.get_step())
            print(tf.summary.experimental.get_step(), tf.summary.should_record_summaries().numpy())
        print(tf.summary.scalar("x", 1.0, step=1).numpy())
    """,
    "set_as_default": """
        create("logs").set_as_default(3)
        print(tf.summary.scalar("x", 1.0).numpy(), tf.summary.experimental.get_step())
    """,
    "closed twice": """
        writer = create("logs")
        print(writer.close(), writer.close())
        try:
            writer.as_default()
        except RuntimeError as error:
            print("RuntimeError")
        try:
            writer.set_as_default()
        except RuntimeError as error:
            print("RuntimeError")
        print(writer.flush())
    """,
    "init": "print(create('logs').init())",
    "no step": """
        with create("logs").as_default():
            try:
                tf.summary.scalar("x", 1.0)
            except ValueError as error:
                print(error)
    """,
    "wrong value": """
        with create("logs").as_default():
            try:
                tf.summary.scalar("x", [1.0, 2.0], step=1)
            except Exception as error:
                print(type(error).__name__)
    """,
    "in a function": """
        writer = create("logs")
        @tf.function
        def train(step):
            with writer.as_default():
                tf.summary.scalar("x", 1.0, step=step)
            writer.flush()
        for n in range(3):
            train(tf.constant(n, tf.int64))
        writer.close()
        print(sum(len(list(tf.compat.v1.train.summary_iterator("logs/" + name))) for name in os.listdir("logs")))
    """,
    "closed in a function": """
        writer = create("logs")
        @tf.function
        def end():
            writer.close()
        end()
        print("ended")
    """,
    "suffix": """
        create("logs", filename_suffix=".mine").close()
        print([name[-5:] for name in os.listdir("logs")])
    """,
    "tracked": """
        module = tf.Module()
        module.writer = create("logs", experimental_trackable=True)
        module.step = tf.Variable(0, dtype=tf.int64)
        @tf.function(input_signature=[])
        def train():
            with module.writer.as_default():
                tf.summary.scalar("x", 1.0, step=module.step)
            module.step.assign_add(1)
            return module.step.value()
        module.train = train
        print(module.train().numpy(), module.train().numpy())
        tf.saved_model.save(module, "saved")
        print(tf.saved_model.load("saved").train().numpy())
    """,
    "graph mode": """
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            writer = create("logs")
            with writer.as_default():
                tf.summary.scalar("x", 1.0, step=1)
            sess.run(writer.init())
            print(sess.run(tf.compat.v1.summary.all_v2_summary_ops()))
            sess.run(writer.flush())
            sess.run(writer.close())
        print(sum(len(list(tf.compat.v1.train.summary_iterator("logs/" + name))) for name in os.listdir("logs")))
    """,
    "graph, trace and raw": """
        with create("logs").as_default():
            print(tf.summary.experimental.write_raw_pb(tf.compat.v1.Summary().SerializeToString(), step=1).numpy())
            with tf.Graph().as_default() as graph:
                tf.constant(1)
            tf.summary.graph(graph)
    """,
    "nested, and left by an exception": """
        first, second = create("a"), create("b")
        try:
            with first.as_default(1):
                with first.as_default(), second.as_default(step=5):
                    tf.summary.scalar("x", 1.0)
                    raise KeyError("left")
        except KeyError:
            print(tf.summary.experimental.get_step(), tf.summary.should_record_summaries().numpy())
        print([sum(1 for _ in tf.compat.v1.train.summary_iterator(d + "/" + os.listdir(d)[0])) for d in "ab"])
    """,
    "flush": """
        writer = create("logs")
        print(writer.flush(), tf.summary.flush(writer), tf.summary.flush())
        with writer.as_default():
            print(tf.summary.flush())
        @tf.function
        def function():
            tf.summary.flush(writer)
            return 1
        print(function().numpy())
    """,
    "init of a closed one": """
        writer = create("logs")
        writer.close()
        try:
            writer.init()
        except RuntimeError as error:
            print("is already closed" in str(error))
    """,
    "a context that is entered late": """
        writer = create("logs")
        context = writer.as_default()
        writer.close()
        with context:
            try:
                tf.summary.scalar("x", 1.0, step=1)
            except tf.errors.NotFoundError:
                print("NotFoundError")
    """,
    "tensor arguments": """
        writer = create(tf.constant("logs"), max_queue=tf.constant(3), flush_millis=tf.constant(1000),
                        filename_suffix=tf.constant(".mine"))
        with writer.as_default():
            tf.summary.scalar("x", 1.0, step=1)
        writer.close()
        print([name[-5:] for name in os.listdir("logs")])
    """,
    "arguments of NumPy and paths": """
        import numpy, pathlib
        create(str(pathlib.Path("logs")), max_queue=numpy.int32(3), flush_millis=numpy.int64(5000)).close()
        create(b"more").close()
        print(sorted(each for each in os.listdir(".") if each in ("logs", "more")))
    """,
    "wrong arguments": """
        for wrong in ({"logdir": None}, {"logdir": 3}, {"logdir": ["a", "b"]},
                      {"max_queue": "many"}, {"flush_millis": [1, 2]}, {"filename_suffix": 3}):
            try:
                create(**{"logdir": "logs", **wrong})
                print("created")
            except Exception as error:
                print(isinstance(error, (ValueError, TypeError, tf.errors.InvalidArgumentError)))
    """,
    "created in a function": """
        box = []
        @tf.function
        def function(step):
            if not box:
                box.append(create("logs"))
            with box[0].as_default():
                tf.summary.scalar("x", 1.0, step=step)
        for n in range(3):
            function(tf.constant(n, tf.int64))
        box[0].close()
        print([event.step for event in tf.compat.v1.train.summary_iterator("logs/" + os.listdir("logs")[0])][1:])
    """,
    "symbolic arguments in a function": """
        @tf.function
        def function(logdir):
            create(logdir)
        try:
            function(tf.constant("logs"))
        except Exception as error:
            print(isinstance(error, (ValueError, TypeError)))
    """,
    "names": """
        with tf.Graph().as_default():
            with tf.name_scope("outer"):
                writer = create("logs", name="mine")
                other = create("logs")
            print(writer._resource.op.name, other._resource.op.name, writer.init().name)
        with tf.name_scope("outer"), create("logs").as_default():
            tf.summary.scalar("x", 1.0, step=1)
        (name,) = os.listdir("logs")
        print([v.tag for e in tf.compat.v1.train.summary_iterator("logs/" + name) for v in e.summary.value])
    """,
    "record_if": """
        with create("logs").as_default():
            for n in range(4):
                with tf.summary.record_if(n % 2 == 0):
                    print(tf.summary.scalar("x", 1.0, step=n).numpy(), tf.summary.should_record_summaries().numpy())
    """,
    "trace": """
        @tf.function
        def square(x):
            return x * x
        tf.summary.trace_on(graph=True)
        square(tf.constant(2.0))
        with create("logs").as_default():
            tf.summary.trace_export("square", step=0)
        (name,) = os.listdir("logs")
        print(len(list(tf.compat.v1.train.summary_iterator("logs/" + name))))
    """,
    "no-op writer": """
        writer = tf.summary.create_noop_writer()
        with writer.as_default():
            print(tf.summary.scalar("x", 1.0, step=1).numpy())
        print(type(writer).__name__, writer.flush(), writer.close(), writer.init())
    """,
    "copied and pickled": """
        import copy, pickle
        writer = create("logs")
        for act in (copy.copy, copy.deepcopy, pickle.dumps):
            try:
                act(writer)
                print("done")
            except Exception as error:
                print(type(error).__name__)
        twin = copy.copy(writer)
        with twin.as_default():
            tf.summary.scalar("x", 1.0, step=1)
        twin.flush()
        print(len(list(tf.compat.v1.train.summary_iterator("logs/" + os.listdir("logs")[0]))))
    """,
    "checkpoint": """
        module = tf.Module()
        module.writer = create("logs", experimental_trackable=True)
        module.step = tf.Variable(3, dtype=tf.int64)
        path = tf.train.Checkpoint(module=module).save("saved/model")
        module.step.assign(5)
        tf.train.Checkpoint(module=module).restore(path).assert_consumed()
        print(module.step.numpy(), sorted(name for name, _ in tf.train.list_variables(path)))
    """,
    "two strategies": """
        cpus = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        writer = create("logs")
        @tf.function
        def train(step):
            def replica():
                tf.summary.scalar("inside", 1.0, step=step)
                return tf.constant(2.0)
            with writer.as_default():
                loss = strategy.reduce("MEAN", strategy.run(replica), axis=None)
                tf.summary.scalar("outside", loss, step=step)
        for n in range(3):
            train(tf.constant(n, tf.int64))
        writer.close()
        events = tf.compat.v1.train.summary_iterator("logs/" + os.listdir("logs")[0])
        print(sorted((v.tag, e.step) for e in events for v in e.summary.value))
    """,
    "two workers of one strategy": """
        import json, socket, subprocess
        if "TF_CONFIG" not in os.environ:
            sockets = [socket.create_server(("localhost", 0)) for _ in range(2)]
            addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
            for each in sockets:
                each.close()
            workers = []
            for index in range(2):
                config = json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
                command = [sys.executable, sys.argv[0], sys.argv[1]]
                environment = {**os.environ, "TF_CONFIG": config}
                workers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
            for worker in workers:
                print(worker.communicate(timeout=90)[0], worker.returncode)
            sys.exit()
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        logs = f"logs/{strategy.cluster_resolver.task_id}"
        writer = create(logs)
        with strategy.scope():
            weight = tf.Variable(1.0)
        @tf.function
        def train(step):
            def replica():
                tf.summary.scalar("inside", weight, step=step)
                return weight * 0.5
            with writer.as_default():
                loss = strategy.reduce("SUM", strategy.run(replica), axis=None)
                tf.summary.scalar("outside", loss, step=step)
        for n in range(3):
            train(tf.constant(n, tf.int64))
        writer.close()
        events = tf.compat.v1.train.summary_iterator(f"{logs}/{os.listdir(logs)[0]}")
        print([(v.tag, e.step, tf.make_ndarray(v.tensor).item()) for e in events for v in e.summary.value])
    """,
    "parameter servers": """
        import socket
        def free():
            with socket.socket() as opened:
                opened.bind(("127.0.0.1", 0))
                return f"127.0.0.1:{opened.getsockname()[1]}"
        jobs = {"worker": [free()], "ps": [free()]}
        spec = tf.train.ClusterSpec(jobs)
        servers = [tf.distribute.Server(spec, job_name=job, task_index=0, protocol="grpc", start=True) for job in jobs]
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(spec, rpc_layer="grpc")
        strategy = tf.distribute.ParameterServerStrategy(resolver)
        coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        with strategy.scope():
            total = tf.Variable(0.0)
        @tf.function
        def work():
            total.assign_add(1.0)
            return total.read_value()
        writer = create("logs")
        with writer.as_default():
            for n in range(3):
                value = coordinator.schedule(work)
                coordinator.join()
                tf.summary.scalar("total", value.fetch(), step=n)
        writer.close()
        events = tf.compat.v1.train.summary_iterator("logs/" + os.listdir("logs")[0])
        print([(v.tag, e.step) for e in events for v in e.summary.value], flush=True)
        os._exit(0)
    """,
    "graph mode in two sessions": """
        with tf.Graph().as_default():
            writer = create("logs")
            with writer.as_default():
                tf.summary.scalar("x", 1.0, step=1)
            ops = tf.compat.v1.summary.all_v2_summary_ops()
            for _ in range(2):
                with tf.compat.v1.Session() as sess:
                    sess.run(writer.init())
                    sess.run(ops)
                    sess.run([writer.flush(), writer.close()][0])
        print(sum(len(list(tf.compat.v1.train.summary_iterator("logs/" + name))) for name in os.listdir("logs")))
    """,
    "a placeholder for the directory": """
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            where = tf.compat.v1.placeholder(tf.string, [])
            writer = create(where)
            with writer.as_default():
                tf.summary.scalar("x", 1.0, step=1)
            sess.run(writer.init(), {where: "logs"})
            sess.run(tf.compat.v1.summary.all_v2_summary_ops())
            sess.run(writer.close())
        print(len(list(tf.compat.v1.train.summary_iterator("logs/" + os.listdir("logs")[0]))))
    """,
    "in another thread": """
        import threading
        writer = create("logs")
        def write():
            print(tf.summary.scalar("x", 1.0, step=1).numpy())
            with writer.as_default():
                print(tf.summary.scalar("x", 1.0, step=2).numpy())
        with writer.as_default():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
    """,
}


@pytest.mark.parametrize("name", SAME)
def test_a_program_sees_what_it_sees_with_tensorflows_writer(program, name):
    """What a program prints is the same with both writers, and it ends in the same way."""
    stock, ours = program(SAME[name], "stock"), program(SAME[name])
    assert stock.stdout.strip(), stock.stderr
    assert (ours.stdout, ours.exit_code) == (stock.stdout, stock.exit_code), ours.stderr


LOOP = """
writer = create("logs", flush_millis=1000)
def write(first, last):
    with writer.as_default():
        for step in range(first, last):
            tf.summary.scalar("loss", 0.5, step=step)
"""
ALL = list(range(50))

#: Faults that TensorFlow's writer loses events in, silently; ours loses none.
PREVENTED = {
    "killed": "writer.as_default().__enter__()\nfor n in range(50): tf.summary.scalar('loss', 0.5, step=n)\n"
    "os.kill(os.getpid(), signal.SIGKILL)",
    "ended by os._exit": "writer.as_default().__enter__()\nfor n in range(50): tf.summary.scalar('loss', 0.5, step=n)\n"
    "os._exit(0)",
    "idle": "writer.as_default().__enter__()\nfor n in range(50): tf.summary.scalar('loss', 0.5, step=n)\n"
    "shutil.copytree('logs', 'seen'); shutil.rmtree('logs'); os._exit(0)",
    "file deleted": "write(0, 25)\n[os.unlink('logs/' + name) for name in os.listdir('logs')]\n"
    "write(25, 50)\nwriter.close()",
    "directory deleted": "write(0, 25)\nshutil.rmtree('logs')\nwrite(25, 50)\nwriter.close()",
    "directory moved": "write(0, 25)\nos.rename('logs', 'moved')\nwriter.flush()\nwrite(25, 50)\nwriter.close()",
}


@POSIX
@pytest.mark.parametrize("name", PREVENTED)
def test_what_tensorflows_writer_loses_lands(program, name, tmp_path):
    """Of 50 events TensorFlow's writer leaves fewer and says nothing; ours leaves all, in a file that can be read."""
    text = LOOP + PREVENTED[name]
    outcome = program(text)
    assert sorted({step for _, step in points(tmp_path)}) == ALL, outcome.stderr
    if "gone" in outcome.stderr:
        assert outcome.codes == ["SW503"]


@POSIX
@pytest.mark.parametrize("name", ["killed", "ended by os._exit", "idle", "file deleted", "directory deleted"])
def test_the_same_with_tensorflows_writer_loses_some(program, name, tmp_path):
    """The faults are real ones: without safewriter events are missing and nothing is said."""
    outcome = program(LOOP + PREVENTED[name], "stock")
    assert sorted({step for _, step in points(tmp_path)}) != ALL
    assert outcome.codes == []


@POSIX
def test_a_truncated_file_is_reported_with_its_count(program, tmp_path):
    """What lay behind the cut is counted as lost, what comes after it lands in a new file."""
    outcome = program(
        LOOP
        + """
write(0, 25)
name = "logs/" + os.listdir("logs")[0]
writer.report()
os.truncate(name, 300)
writer.flush()
write(25, 50)
writer.close()
print(writer.report().lost, writer.report().events)
"""
    )
    assert outcome.codes == ["SW503"], outcome.stderr
    lost, events = map(int, outcome.stdout.split())
    assert events == 50
    assert len(steps(tmp_path)) == 50 - lost
    assert 0 < lost < 25


def test_a_temporary_directory_that_is_gone_stays_gone(program):
    """A function outlives the test whose temporary directory it logs to: nothing is warned, and nothing is copied."""
    outcome = program(
        """
        import tempfile
        with tempfile.TemporaryDirectory() as directory:
            writer = create(directory + "/logs")
            @tf.function
            def train(step):
                with writer.as_default():
                    tf.summary.scalar("loss", 0.5, step=step)
            for step in range(10):
                train(tf.constant(step, tf.int64))
        print(directory)
        """
    )
    assert (outcome.exit_code, outcome.codes) == (0, []), outcome.stderr
    assert not os.path.exists(outcome.stdout.strip())


@pytest.mark.parametrize("block", ["with writer.as_default():", "if True:"])
def test_a_daemon_thread_writes_until_the_program_ends(program, tmp_path, block):
    """The exit hook closes nothing beneath it, in a long block or one for each step: no traceback, and all lands."""
    outcome = program(
        f"""
        import threading
        writer = create("logs")
        def act():
            if {block.startswith("if")}:
                writer.set_as_default()
            for number in range(100_000):
                {block}
                    tf.summary.scalar("loss", 0.5, step=number)
                if number == 20:
                    begun.set()
        begun = threading.Event()
        threading.Thread(target=act, daemon=True).start()
        begun.wait()
        import atexit
        from safewriter.recording import scope
        atexit.unregister(scope.end_program)
        atexit.register(time.sleep, 0.5)
        atexit.register(scope.end_program)
        """
    )
    assert (outcome.exit_code, outcome.codes) == (0, []), outcome.stderr
    assert "Exception in thread" not in outcome.stderr, outcome.stderr
    found = steps(tmp_path)
    assert found == list(range(len(found)))


@POSIX
def test_a_forked_child_writes_a_file_of_its_own(program, tmp_path):
    """The child's events and the parent's land, each once, and SW505 names the child's file."""
    outcome = program(
        LOOP
        + """
write(0, 10)
child = os.fork()
if not child:
    write(100, 110)
    writer.close()
    sys.exit(0)
os.waitpid(child, 0)
write(10, 20)
writer.close()
"""
    )
    assert steps(tmp_path) == [*range(20), *range(100, 110)], outcome.stderr
    assert "SW505" in outcome.codes


def test_a_closed_writer_says_whose_it_was(program):
    """A function that uses a closed writer gets TensorFlow's error, with the line that created the writer."""
    outcome = program(
        """
        writer = create("logs")
        @tf.function
        def train():
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=1)
        train()
        writer.close()
        try:
            train()
        except tf.errors.NotFoundError as error:
            print(error)
        """
    )
    assert "the summary writer created at program.py:7, which is closed" in outcome.stdout


def test_what_ram_holds_is_read_back(program):
    """A file system of TensorFlow's own: events are read back at flush."""
    outcome = program(
        """
        writer = create("ram://logs")
        with writer.as_default():
            for step in range(5):
                tf.summary.scalar("loss", 0.5, step=step)
        writer.flush()
        report = writer.report()
        print(report.landed, report.tags["loss"].last_step)
        writer.close()
        """
    )
    assert outcome.stdout == "5 4\n", outcome.stderr
    assert outcome.codes == []


def test_strict_raises_where_the_block_ends(program):
    """Under ``strict`` what was found is raised at the next call that may raise."""
    outcome = program(
        """
        writer = safewriter.create_file_writer("logs", strict=True)
        try:
            with writer.as_default():
                tf.summary.scalar("loss", float("nan"), step=1)
            writer.flush()  # the block's end does not look, unless it took a while
        except safewriter.SafeWriterError as error:
            print(error.finding.code)
        writer.close()
        """
    )
    assert outcome.stdout == "SW401\n", outcome.stderr


def test_the_report_counts_what_landed(program):
    """Events, tags and files stand in the report, also while the writer is open."""
    outcome = program(
        LOOP
        + """
write(0, 7)
report = writer.report()
print(report.events, report.landed, report.lost, report.pending, report.tags["loss"].count, len(report.files))
"""
    )
    assert outcome.stdout == "7 7 0 0 7 1\n", outcome.stderr


def test_uninstall_gives_everything_back(program):
    """After ``uninstall`` TensorFlow's own class and function stand under their names again."""
    outcome = program(
        """
        from tensorflow.python.ops import summary_ops_v2 as module
        before = (module._ResourceSummaryWriter.__init__, module.write, tf.summary.write, tf.compat.v2.summary.write)
        with safewriter.install():
            print(type(tf.summary.create_file_writer("logs")).__name__)
        after = (module._ResourceSummaryWriter.__init__, module.write, tf.summary.write, tf.compat.v2.summary.write)
        print(before == after, type(tf.summary.create_file_writer("more")).__name__)
        """
    )
    assert outcome.stdout == "SafeSummaryWriter\nTrue _ResourceSummaryWriter\n", outcome.stderr

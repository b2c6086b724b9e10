"""Creates a writer in each place of each strategy, and says what was reported there.

Run without arguments it prints ``{strategy: {place: [codes]}}`` as JSON, with ``--graph`` for a program without eager
execution, with ``--write`` it puts the table into docs/distributed.md. What is run is real: strategies on two logical
devices of the CPU, and a cluster of servers in this process for the parameter servers.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, closing, nullcontext

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs", "distributed.md")
BEGIN, END = "<!-- table: python tests/support/strategy_table.py --write -->\n", "<!-- end of table -->\n"

#: Place: how the page calls it.
PLACES = {
    "before": "before the scope",
    "scope": "in `scope()`",
    "scope_graph": "in `scope()`, a graph entered inside",
    "thread": "in a thread started in `scope()`",
    "run": "in `strategy.run`",
    "merge_call": "in `merge_call`",
    "function": "in `tf.function`, in `scope()`",
    "run_function": "in `strategy.run` in `tf.function`",
    "map": "in `Dataset.map`",
    "py_function": "in `tf.py_function`",
    "scheduled": "in a `tf.function` that a coordinator schedules",
}
MODES = {"": "eager", " (graph mode)": "--graph"}


def free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def strategies(tf, *, graph_mode):
    """Each strategy that runs on CPUs, by its name."""
    distribute = tf.compat.v1.distribute if graph_mode else tf.distribute
    pair = ["/cpu:0", "/cpu:1"]
    yield "default strategy", tf.distribute.get_strategy()
    yield "OneDeviceStrategy", distribute.OneDeviceStrategy("/cpu:0")
    yield "MirroredStrategy", distribute.MirroredStrategy(pair)
    yield "CentralStorageStrategy", distribute.experimental.CentralStorageStrategy(pair)
    if not graph_mode:
        yield "MultiWorkerMirroredStrategy", tf.distribute.MultiWorkerMirroredStrategy()
        yield "ParameterServerStrategy", parameter_servers(tf)


def parameter_servers(tf):
    ports = free_ports(2)
    cluster = tf.train.ClusterSpec({"worker": [f"127.0.0.1:{ports[0]}"], "ps": [f"127.0.0.1:{ports[1]}"]})
    global servers  # they live as long as the process
    servers = [tf.distribute.Server(cluster, job_name=job, task_index=0) for job in ("worker", "ps")]
    return tf.distribute.ParameterServerStrategy(
        tf.distribute.cluster_resolver.SimpleClusterResolver(cluster, rpc_layer="grpc")
    )


def reported(place):
    """The codes of this page that creating a writer in a place brought, or what was raised."""
    from safewriter.testing import capture_findings

    raised = []
    with capture_findings() as findings:
        try:
            place()
        except Exception as error:  # which one is in the table
            raised = [type(error).__name__]
    return raised or sorted({finding.code for finding in findings if finding.code in ("SW201", "SW202")})


def create(tf):
    from safewriter import SafeFileWriter

    # Writers want a graph; in graph mode there is one.
    graph = tf.Graph().as_default() if tf.executing_eagerly() else nullcontext()
    with tempfile.TemporaryDirectory() as logdir, graph:
        SafeFileWriter(logdir, ignore="SW204").close()


def places(tf, strategy, *, graph_mode):
    """Each place of a strategy, as a function that creates a writer there."""

    def new_writer():
        create(tf)
        return 0

    def scope():
        with strategy.scope():
            new_writer()

    def scope_graph():
        with strategy.scope(), tf.Graph().as_default():
            new_writer()

    def thread():
        with strategy.scope():
            started = threading.Thread(target=in_graph)
            started.start()
            started.join()

    def in_graph():
        with tf.Graph().as_default():
            new_writer()

    def merge_call():
        strategy.run(lambda: tf.distribute.get_replica_context().merge_call(lambda _: new_writer()))

    def function():
        with strategy.scope():
            tf.function(new_writer)()

    yield "before", new_writer
    yield "scope", scope
    yield "scope_graph", scope_graph
    yield "thread", thread
    if type(strategy).__name__.startswith("ParameterServer"):
        yield "scheduled", lambda: schedule(tf, strategy, new_writer)
    else:
        yield "run", lambda: strategy.run(new_writer)
        yield "merge_call", merge_call
        if not graph_mode:
            yield "run_function", tf.function(lambda: strategy.run(new_writer))
    if not graph_mode:
        yield "function", function
        yield "map", lambda: tf.data.Dataset.range(2).map(lambda x: x + new_writer())
        yield "py_function", lambda: in_py_function(tf)


def in_py_function(tf):
    """Python code that TensorFlow calls at each step, eagerly and in a thread of its own."""
    from safewriter import SafeFileWriter

    raised = []

    def call():
        try:
            SafeFileWriter("nowhere")
        except Exception as error:
            raised.append(error)

    tf.py_function(call, [], [])
    raise raised[0]


def schedule(tf, strategy, function):
    """A coordinator takes tf.functions alone; they are traced in its own process."""
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    coordinator.schedule(tf.function(function))
    coordinator.join()


def table(*, graph_mode):
    """What was reported in each place of each strategy, in this process."""
    import tensorflow as tf

    if graph_mode:
        tf.compat.v1.disable_eager_execution()
    (cpu,) = tf.config.list_physical_devices("CPU")
    part = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [part, part])
    return {
        name: {place: reported(create_there) for place, create_there in places(tf, strategy, graph_mode=graph_mode)}
        for name, strategy in strategies(tf, graph_mode=graph_mode)
    }


def both_modes():
    """The whole table, each mode in a process of its own."""
    children = {
        mode: subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), argument],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for mode, argument in MODES.items()
    }
    rows = {}
    try:
        for mode, child in children.items():
            output, errors = child.communicate(timeout=120)
            if child.returncode:
                raise AssertionError(errors)
            for strategy, found in json.loads(output.splitlines()[-1]).items():
                rows[strategy + mode] = found
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    return rows


def as_markdown(rows):
    """The table as the page shows it: a row for each place."""
    lines = [
        "| created | " + " | ".join(rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for place, title in PLACES.items():
        cells = [_cell(found.get(place)) for found in rows.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(codes):
    if codes is None:
        return ""  # there is no such place
    return ", ".join(codes) or "silent"


def main():
    argument = sys.argv[1] if len(sys.argv) > 1 else ""
    if argument != "--write":
        print(json.dumps(table(graph_mode=argument == "--graph")))
        sys.stdout.flush()
        os._exit(0)  # servers of a cluster can't be stopped
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + as_markdown(both_modes()) + END + after)


if __name__ == "__main__":
    main()

"""Method by method what the stock class does, over both classes: a difference is a decision, and says so."""

import contextlib
import copy
import inspect
import os
import pickle
import threading
import time
import warnings
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.summary import plugin_asset
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter

from safewriter import SafeFileWriter, SafeWriterWarning
from safewriter.testing import capture_findings

v1 = tf.compat.v1
FileWriter = v1.summary.FileWriter
CLOSED = "Attempting to use a closed FileWriter"


@pytest.fixture(params=[FileWriter, SafeFileWriter], ids=["stock", "safe"])
def writer_class(request):
    return request.param


@pytest.fixture
def logdir(tmp_path):
    return str(tmp_path / "logs")


def scalar(tag="loss", number=0.5):
    return v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=number)])


def text(tag="words", plugin="text"):
    """A value whose dashboard TensorBoard knows by its metadata."""
    metadata = v1.SummaryMetadata(plugin_data=v1.SummaryMetadata.PluginData(plugin_name=plugin))
    return v1.Summary(value=[v1.Summary.Value(tag=tag, metadata=metadata, tensor=tf.make_tensor_proto(["a"]))])


def kinds(events):
    return [event.WhichOneof("what") for event in events]


def next_second():
    """Waits for the clock's next second: the stock writer names its files by it alone."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)


class TestConstruction:
    def test_signature(self):
        """The stock arguments come first, in their order and with their defaults; ours are by keyword only."""
        stock = list(inspect.signature(FileWriter.__init__).parameters.values())
        ours = list(inspect.signature(SafeFileWriter.__init__).parameters.values())
        shared = ours[: len(stock)]
        assert [(each.name, each.default, each.kind) for each in shared] == [
            (each.name, each.default, each.kind) for each in stock
        ]
        assert {each.kind for each in ours[len(stock) :]} == {inspect.Parameter.KEYWORD_ONLY}

    def test_methods_take_the_same_arguments(self):
        """Every public method of the stock class takes what it took."""
        for name, method in inspect.getmembers(FileWriter, inspect.isfunction):
            if name.startswith("_") and name not in ("__enter__", "__exit__"):
                continue
            stock = list(inspect.signature(method).parameters.values())
            ours = list(inspect.signature(getattr(SafeFileWriter, name)).parameters.values())
            assert len(ours) == len(stock), name
            if name != "__exit__":  # Python passes these three by position
                assert [(each.name, each.default) for each in ours] == [(each.name, each.default) for each in stock], (
                    name
                )

    def test_positional_arguments(self, writer_class, graph, logdir, read_events):
        """All arguments can be passed by position."""
        tf.constant(1)
        with writer_class(logdir, graph, 5, 1, None, ".mine", None):
            pass
        (name,) = os.listdir(logdir)
        assert name.startswith("events.out.tfevents.")
        assert name.endswith(".mine")
        assert kinds(read_events(logdir)) == ["graph_def", "meta_graph_def"]

    def test_is_a_file_writer(self, graph, logdir):
        """Code that asks for the stock class is content."""
        with SafeFileWriter(logdir) as writer:
            assert isinstance(writer, FileWriter)
            assert isinstance(writer.event_writer, EventFileWriter)

    def test_directories_are_made(self, writer_class, graph, tmp_path):
        """A directory that is not there is made, with its parents."""
        with writer_class(str(tmp_path / "a" / "b" / "c")):
            assert (tmp_path / "a" / "b" / "c").is_dir()

    def test_path_object(self, writer_class, graph, tmp_path):
        """A path object means its path."""
        with writer_class(tmp_path / "logs") as writer:
            assert writer.get_logdir() == str(tmp_path / "logs")

    def test_bytes(self, writer_class, graph, tmp_path):
        """Decision: bytes mean the path that they spell; the stock class makes a directory called ``b'...'``."""
        with contextlib.chdir(tmp_path) if hasattr(contextlib, "chdir") else _chdir(tmp_path):
            with writer_class(b"logs") as writer:
                writer.add_summary(scalar(), 0)
            assert os.listdir() == (["logs"] if writer_class is SafeFileWriter else ["b'logs'"])

    def test_file_without_events(self, writer_class, graph, logdir):
        """Decision: the file is there at once, as the proof that the directory can be written to."""
        with writer_class(logdir):
            assert len(os.listdir(logdir)) == (writer_class is SafeFileWriter)

    def test_eager_execution(self, writer_class, logdir):
        """Under eager execution there is no writer, and no directory."""
        with pytest.raises(RuntimeError, match="not compatible with eager execution"):
            writer_class(logdir)
        assert not os.path.exists(logdir)

    def test_graph_is_left_alone(self, writer_class, graph, logdir):
        """A writer adds nothing to a graph; a finalized one will do."""
        v1.summary.scalar("loss", 1.0)
        v1.summary.merge_all()
        graph.finalize()
        before = graph.as_graph_def()
        collections = {key: len(graph.get_collection(key)) for key in graph.get_all_collection_keys()}
        with writer_class(logdir, graph, **ignoring(writer_class, "SW3")) as writer:
            writer.add_summary(scalar("another"), 1)
        assert graph.as_graph_def() == before
        assert {key: len(graph.get_collection(key)) for key in graph.get_all_collection_keys()} == collections

    def test_queue_and_flush_settings(self, writer_class, graph, logdir, read_points):
        """Unusual sizes of the queue, and a suffix of no characters, are taken."""
        with writer_class(logdir, max_queue=0, flush_secs=0.5, filename_suffix="") as writer:
            writer.add_summary(scalar(), 1)
        assert read_points(logdir) == {"loss": [(1, 0.5)]}

    def test_cache_of_writers(self, graph, logdir):
        """TensorFlow's cache goes on to hand out stock writers, and never ours."""
        with SafeFileWriter(logdir):
            cached = v1.summary.FileWriterCache.get(logdir)
            assert type(cached) is FileWriter
            assert v1.summary.FileWriterCache.get(logdir) is cached
            v1.summary.FileWriterCache.clear()


@contextlib.contextmanager
def _chdir(path):
    """``contextlib.chdir`` of Python 3.11."""
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


def ignoring(writer_class, *codes):
    """What a test provokes on the way; the stock class knows no such argument."""
    return {"ignore": codes} if writer_class is SafeFileWriter else {}


class TestGraphs:
    def test_graph_in_the_constructor(self, writer_class, graph, logdir, read_events):
        """The graph, with its shapes, and the meta graph of it stand first in the file."""
        v1.placeholder(tf.float32, [2, 3], name="x")
        with writer_class(logdir, graph):
            pass
        first, second = read_events(logdir)
        stored = v1.GraphDef.FromString(first.graph_def)
        assert stored == graph.as_graph_def(add_shapes=True)
        assert v1.MetaGraphDef.FromString(second.meta_graph_def).graph_def == stored

    @pytest.mark.parametrize("argument", ["graph", "graph_def"])
    def test_graph_def(self, writer_class, graph, logdir, read_events, argument):
        """A GraphDef is taken by either name."""
        tf.constant(1, name="one")
        definition = graph.as_graph_def()
        with writer_class(logdir, **{argument: definition}):
            pass
        first, second = read_events(logdir)
        assert v1.GraphDef.FromString(first.graph_def) == definition
        assert v1.MetaGraphDef.FromString(second.meta_graph_def).graph_def == definition

    def test_both(self, writer_class, graph, logdir):
        """Graph and graph_def together are refused. Decision: ours leaves nothing behind."""
        with pytest.raises(ValueError, match="both"):
            writer_class(logdir, graph, graph_def=graph.as_graph_def())
        assert os.path.exists(logdir) == (writer_class is FileWriter)

    def test_no_graph(self, writer_class, graph, logdir):
        """What is no graph is refused. Decision: ours leaves nothing behind, the stock class its directory."""
        with pytest.raises(TypeError, match="Graph"):
            writer_class(logdir, "graph")
        assert os.path.exists(logdir) == (writer_class is FileWriter)

    def test_add_graph(self, writer_class, graph, logdir, read_events):
        """A graph can be added later, with a step; a GraphDef too."""
        tf.constant(1)
        with writer_class(logdir) as writer:
            writer.add_graph(graph, 5)
            writer.add_graph(None, 6, graph.as_graph_def())
            writer.add_graph(graph=graph.as_graph_def(), global_step=np.int64(7))
            with pytest.raises(TypeError):
                writer.add_graph(None)
            with pytest.raises(ValueError, match="both"):
                writer.add_graph(graph, graph_def=graph.as_graph_def())
        events = read_events(logdir)
        assert kinds(events) == ["graph_def"] * 3
        assert [event.step for event in events] == [5, 6, 7]

    def test_add_meta_graph(self, writer_class, graph, logdir, read_events):
        """A MetaGraphDef is stored; anything else is refused."""
        v1.get_variable("w", [2])
        exported = v1.train.export_meta_graph()
        with writer_class(logdir) as writer:
            writer.add_meta_graph(exported, 3)
            with pytest.raises(TypeError, match="MetaGraphDef"):
                writer.add_meta_graph(graph)
        (event,) = read_events(logdir)
        assert v1.MetaGraphDef.FromString(event.meta_graph_def) == exported
        assert event.step == 3

    def test_plugin_assets(self, writer_class, graph, logdir):
        """Assets that plugins keep in the graph are written beside the event file."""

        class Asset(plugin_asset.PluginAsset):
            plugin_name = "projector"

            def assets(self):
                return {"config.txt": "hello", "more.txt": ""}

        plugin_asset.get_plugin_asset(Asset, graph)
        with writer_class(logdir, graph):
            pass
        with open(os.path.join(logdir, "plugins", "projector", "config.txt")) as file:
            assert file.read() == "hello"
        assert os.path.exists(os.path.join(logdir, "plugins", "projector", "more.txt"))


class TestAdding:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: scalar().SerializeToString(),
            scalar,
            lambda: np.bytes_(scalar().SerializeToString()),
            lambda: np.array([scalar().SerializeToString()], dtype=object)[0],
        ],
        ids=["bytes", "message", "numpy-bytes", "of-an-array"],
    )
    def test_summary(self, writer_class, graph, logdir, read_events, make):
        """A summary lands as bytes and as a message, with the time of the call."""
        with writer_class(logdir) as writer:
            before = time.time()
            writer.add_summary(make(), 3)
            after = time.time()
        (event,) = read_events(logdir)
        assert event.summary == scalar()
        assert before <= event.wall_time <= after

    @pytest.mark.parametrize(
        ("step", "stored"),
        [(7, 7), (np.int64(7), 7), (np.int32(7), 7), (np.array(7), 7), (None, 0), (7.0, 7), (2**40, 2**40)],
        ids=repr,
    )
    def test_steps(self, writer_class, graph, logdir, read_events, step, stored):
        """Python's and numpy's numbers are steps; no step is step 0."""
        with writer_class(logdir) as writer:
            writer.add_summary(scalar(), step)
            writer.add_summary(scalar("another"), global_step=step)
        assert [event.step for event in read_events(logdir)] == [stored, stored]

    @pytest.mark.parametrize(("step", "stored"), [(2.9, 2), ("7", 7), (-3, -3), (True, 1)], ids=repr)
    def test_odd_steps(self, writer_class, graph, logdir, read_events, step, stored):
        """What ``int()`` takes is a step. Decision: SW406 tells of what is no whole number from 0 on."""
        with capture_findings() as findings, writer_class(logdir) as writer:
            writer.add_summary(scalar(), step)
        assert [event.step for event in read_events(logdir)] == [stored]
        assert {finding.code for finding in findings} <= {"SW406"}
        assert bool(findings) == (writer_class is SafeFileWriter)

    @pytest.mark.parametrize("step", ["seven", [7], object()], ids=["word", "list", "object"])
    def test_what_is_no_step(self, writer_class, graph, logdir, step):
        """What has no number is refused at the call."""
        with writer_class(logdir) as writer:
            with pytest.raises((TypeError, ValueError)):
                writer.add_summary(scalar(), step)
            writer.add_summary(scalar(), 1)

    def test_tensor_as_step(self, writer_class, graph, logdir):
        """A step that was not run is refused. Decision: with the line that fixes it."""
        step = v1.train.get_or_create_global_step()
        with writer_class(logdir) as writer:
            with pytest.raises((TypeError, AttributeError)) as caught:
                writer.add_summary(scalar(), step)
            if writer_class is SafeFileWriter:
                assert "sess.run(global_step)" in str(caught.value)

    @pytest.mark.parametrize("step", [float("nan"), float("inf"), 2**63], ids=repr)
    def test_steps_without_a_number(self, writer_class, graph, logdir, read_events, step):
        """No 64-bit number, no event; the writer goes on."""
        with writer_class(logdir) as writer:
            with pytest.raises((ValueError, OverflowError)):
                writer.add_summary(scalar(), step)
            writer.add_summary(scalar(), 1)
        assert [event.step for event in read_events(logdir)] == [1]

    @pytest.mark.parametrize(
        "given",
        [None, [b""], "text", 0.5, True, bytearray(b"x"), object(), ("a", "b")],
        ids=lambda given: repr(given)[:9],
    )
    def test_what_is_no_summary(self, writer_class, graph, logdir, read_events, given):
        """Decision: a TypeError or ValueError that says what to do, where the stock class fails on ``.value``."""
        expected = (TypeError, ValueError) if writer_class is SafeFileWriter else AttributeError
        with writer_class(logdir) as writer:
            with pytest.raises(expected):
                writer.add_summary(given, 1)
            writer.add_summary(scalar(), 2)
        assert [event.step for event in read_events(logdir)] == [2]

    def test_message_of_another_package(self, writer_class, graph, logdir, read_events):
        """The same message as TensorBoard's own class makes it. Decision: it is taken; the stock class refuses it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorBoard up to 2.18 imports pkg_resources
            summary_pb2 = pytest.importorskip("tensorboard.compat.proto.summary_pb2")
        foreign = summary_pb2.Summary.FromString(scalar().SerializeToString())
        with writer_class(logdir) as writer:
            if writer_class is FileWriter and type(foreign) is not v1.Summary:
                with pytest.raises(TypeError):
                    writer.add_summary(foreign, 1)
            else:
                writer.add_summary(foreign, 1)
                assert foreign == summary_pb2.Summary.FromString(scalar().SerializeToString())
        assert [event.summary for event in read_events(logdir)] == [scalar()] * (writer_class is SafeFileWriter)

    def test_corrupt_bytes(self, writer_class, graph, logdir, read_events):
        """Bytes that are no summary are refused."""
        with writer_class(logdir) as writer:
            with pytest.raises(Exception, match=r".") as caught:  # stock: DecodeError of protobuf
                writer.add_summary(b"\xff\xff\xff", 1)
            assert isinstance(caught.value, ValueError) or writer_class is FileWriter
            with pytest.raises(Exception, match=r"."):
                writer.add_summary(np.bytes_(b"\xff\xff\xff"), 1)
            writer.add_summary(scalar(), 2)
        assert [event.step for event in read_events(logdir)] == [2]

    def test_empty_summary(self, writer_class, graph, logdir, read_events):
        """An empty summary is an event. Decision: SW306 tells of it."""
        with capture_findings() as findings, writer_class(logdir) as writer:
            writer.add_summary(b"", 1)
        assert len(read_events(logdir)) == 1
        assert [finding.code for finding in findings] == ["SW306"] * (writer_class is SafeFileWriter)

    def test_run_metadata(self, writer_class, graph, logdir, read_events):
        """Run metadata is stored under its tag, and a tag that was used is refused."""
        metadata = v1.RunMetadata(partition_graphs=[v1.GraphDef()])
        with writer_class(logdir) as writer:
            writer.add_run_metadata(metadata, "step1", 1)
            with pytest.raises(ValueError, match="already used"):
                writer.add_run_metadata(metadata, "step1", 2)
            writer.add_run_metadata(metadata, "step2")
        first, second = read_events(logdir)
        assert (first.step, first.tagged_run_metadata.tag) == (1, "step1")
        assert (second.step, second.tagged_run_metadata.tag) == (0, "step2")
        assert v1.RunMetadata.FromString(first.tagged_run_metadata.run_metadata) == metadata

    def test_session_log(self, writer_class, graph, logdir, read_events):
        """A session log is stored with its step."""
        with writer_class(logdir) as writer:
            writer.add_session_log(v1.SessionLog(status=v1.SessionLog.START), 5)
            writer.add_session_log(v1.SessionLog(status=v1.SessionLog.STOP))
        assert [(event.step, event.session_log.status) for event in read_events(logdir)] == [(5, 1), (0, 2)]

    def test_event(self, writer_class, graph, logdir, read_events):
        """An event lands as it is: nothing in it is touched."""
        event = v1.Event(wall_time=12.5, step=9, summary=text())
        with writer_class(logdir) as writer:
            writer.add_event(event)
        assert read_events(logdir) == [event]

    def test_no_event(self, graph, logdir):
        """Decision: what is no event is refused at the call; the stock writer's thread dies of it."""
        with SafeFileWriter(logdir) as writer, pytest.raises(TypeError, match="add_summary"):
            writer.add_event(scalar())

    def test_big_event(self, writer_class, graph, logdir, read_events):
        """An image of some megabytes lands whole."""
        image = v1.Summary.Image(height=1, width=1, encoded_image_string=os.urandom(5_000_000))
        summary = v1.Summary(value=[v1.Summary.Value(tag="image", image=image)])
        with writer_class(logdir) as writer:
            writer.add_summary(summary, 1)
        assert read_events(logdir)[0].summary == summary

    def test_threads(self, writer_class, graph, logdir, read_points):
        """Threads may share a writer: every event lands, in the order of its thread."""
        with writer_class(logdir) as writer:

            def work(number):
                for step in range(200):
                    writer.add_summary(scalar(f"thread{number}", step), step)

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        points = read_points(logdir)
        assert points == {f"thread{number}": [(step, step) for step in range(200)] for number in range(8)}


class TestMetadata:
    def test_kept_once_for_each_tag(self, writer_class, graph, logdir, read_events):
        """Plugin metadata stands with the first value of each tag only."""
        with writer_class(logdir) as writer:
            for step in range(3):
                writer.add_summary(text("a"), step)
                writer.add_summary(text("b").SerializeToString(), step)
        values = [event.summary.value[0] for event in read_events(logdir)]
        assert [value.metadata.plugin_data.plugin_name for value in values] == ["text", "text", "", "", "", ""]

    def test_after_reopen(self, writer_class, graph, logdir, read_events):
        """Decision: the file that ``reopen`` begins has the metadata again; the stock class forgets it."""
        writer = writer_class(logdir)
        writer.add_summary(text(), 0)
        writer.close()
        (first,) = os.listdir(logdir)
        next_second()
        writer.reopen()
        writer.add_summary(text(), 1)
        writer.add_summary(text(), 2)
        writer.close()
        (second,) = set(os.listdir(logdir)) - {first}
        values = [event.summary.value[0] for event in read_events(os.path.join(logdir, second))]
        again = "text" if writer_class is SafeFileWriter else ""
        assert [value.metadata.plugin_data.plugin_name for value in values] == [again, ""]

    def test_callers_message(self, writer_class, graph, logdir):
        """Decision: the message stays as the caller made it; the stock class takes its metadata away."""
        summary = text()
        with writer_class(logdir) as writer:
            for step in range(2):
                writer.add_summary(summary, step)
        assert (summary == text()) == (writer_class is SafeFileWriter)


class TestEnds:
    def test_flush(self, writer_class, graph, logdir, read_points):
        """After ``flush`` readers see what was added."""
        with writer_class(logdir) as writer:
            for step in range(50):
                writer.add_summary(scalar(), step)
            writer.flush()
            assert len(read_points(logdir)["loss"]) == 50

    def test_close_twice(self, writer_class, graph, logdir, read_points):
        """A second ``close`` does nothing."""
        writer = writer_class(logdir)
        writer.add_summary(scalar(), 1)
        writer.close()
        writer.close()
        assert read_points(logdir) == {"loss": [(1, 0.5)]}

    def test_with(self, writer_class, graph, logdir):
        """The with-block gives the writer itself, closes it, and lets an exception through."""
        with pytest.raises(ZeroDivisionError), writer_class(logdir) as writer:
            1 / (not isinstance(writer, writer_class))
        with pytest.warns(UserWarning, match=CLOSED):
            writer.flush()

    def test_reopen(self, writer_class, graph, logdir, read_points):
        """``reopen`` goes on in a file of its own, and does nothing where the writer is open."""
        with writer_class(logdir) as writer:
            writer.add_summary(scalar(), 1)
            writer.reopen()
            writer.add_summary(scalar(), 2)
            writer.close()
            assert len(os.listdir(logdir)) == 1
            next_second()
            writer.reopen()
            writer.add_summary(scalar(), 3)
        assert len(os.listdir(logdir)) == 2
        assert read_points(logdir) == {"loss": [(1, 0.5), (2, 0.5), (3, 0.5)]}

    def test_reopen_within_a_second(self, graph, logdir, read_points):
        """Decision: files of one second have names of their own; the stock class writes over the first."""
        with SafeFileWriter(logdir) as writer:
            for step in range(5):
                writer.add_summary(scalar(), step)
                writer.close()
                writer.reopen()
        assert [step for step, _ in read_points(logdir)["loss"]] == list(range(5))

    @pytest.mark.parametrize(
        "use",
        [
            lambda writer: writer.add_summary(scalar(), 1),
            lambda writer: writer.add_event(v1.Event(step=1)),
            lambda writer: writer.add_session_log(v1.SessionLog()),
            lambda writer: writer.add_run_metadata(v1.RunMetadata(), str(time.time_ns())),
            lambda writer: writer.add_graph(tf.Graph()),
            lambda writer: writer.add_meta_graph(v1.MetaGraphDef()),
            lambda writer: writer.flush(),
        ],
        ids=["summary", "event", "session-log", "run-metadata", "graph", "meta-graph", "flush"],
    )
    def test_use_after_close(self, writer_class, graph, logdir, read_events, use):
        """The stock UserWarning comes at each call. Decision: it points at the user's line, not into TensorFlow."""
        writer = writer_class(logdir, **ignoring(writer_class, "SW504"))
        writer.add_summary(scalar(), 0)
        writer.close()
        for _ in range(3):
            with pytest.warns(UserWarning, match=CLOSED) as caught:
                use(writer)
            assert [type(each.message) for each in caught] == [UserWarning]
            assert (caught[0].filename == __file__) == (writer_class is SafeFileWriter)
        assert len(read_events(logdir)) == 1

    def test_after_reopen_nothing_is_warned(self, writer_class, graph, logdir):
        """A writer that was reopened is as good as new."""
        writer = writer_class(logdir, **ignoring(writer_class, "SW504"))
        writer.close()
        with pytest.warns(UserWarning, match=CLOSED):
            writer.add_summary(scalar(), 0)
        writer.reopen()
        writer.add_summary(scalar(), 1)
        writer.flush()
        writer.close()

    def test_reopen_where_nothing_can_be_made(self, graph, logdir):
        """Decision: ``reopen`` says that no file can be created, and can be called again when one can."""
        writer = SafeFileWriter(logdir)
        writer.close()
        os.unlink(os.path.join(logdir, os.listdir(logdir)[0]))
        os.rmdir(logdir)
        with open(logdir, "w"), pytest.raises(NotADirectoryError, match="SW102"):
            writer.reopen()
        os.unlink(logdir)
        writer.reopen()
        writer.add_summary(scalar(), 1)
        writer.close()
        assert writer.report().landed == 1

    def test_repr(self, graph, logdir):
        """What a debugger shows: where it writes, whether it is open, and which line created it."""
        writer = SafeFileWriter(logdir)
        line = inspect.currentframe().f_lineno - 1
        assert f"{logdir!r}, open, created at " in repr(writer)
        assert repr(writer).endswith(f"test_conformance.py:{line}>")
        writer.close()
        assert ", closed, " in repr(writer)

    def test_child_closes_its_parents_writer(self, run_forked, tmp_path, read_points):
        """A forked child that closes what it inherited, without writing, leaves the parent's file as it is."""
        outcome = run_forked("""
import os
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
from safewriter import SafeFileWriter
def number():
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)])
with SafeFileWriter("logs") as writer:
    writer.add_summary(number(), 0)
    if os.fork() == 0:
        writer.flush()
        writer.close()
        writer.close()
        os._exit(0)
    os.wait()
    writer.add_summary(number(), 1)
""")
        assert (outcome.exit_code, outcome.codes) == (0, []), outcome.stderr
        assert read_points(tmp_path / "logs") == {"loss": [(0, 0.5), (1, 0.5)]}
        assert len(os.listdir(tmp_path / "logs")) == 1

    def test_collected(self, writer_class, graph, logdir):
        """A writer can be weakly referred to, and is not kept alive by what accounts for it."""
        writer = writer_class(logdir)
        writer.close()
        alive = weakref.ref(writer)
        del writer
        if writer_class is SafeFileWriter:
            assert alive() is None

    def test_pickle_and_copy(self, graph, logdir):
        """Decision: a writer says clearly that it can't be copied or pickled."""
        with SafeFileWriter(logdir) as writer:
            for act in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="can't be copied or pickled"):
                    act(writer)

    def test_stock_does_not_pickle_either(self, graph, logdir):
        """The stock class can't be pickled, for a reason that it does not say."""
        with FileWriter(logdir) as writer, pytest.raises(TypeError):
            pickle.dumps(writer)


class TestTrackers:
    """Experiment trackers put themselves between; each way of theirs must still see every event."""

    def use(self, writer):
        writer.add_summary(scalar("a"), 1)
        writer.add_summary(scalar("b").SerializeToString(), 2)
        writer.add_event(v1.Event(step=3))
        writer.add_session_log(v1.SessionLog(), 4)

    def test_patched_event_writer(self, writer_class, graph, logdir, monkeypatch, read_events):
        """``EventFileWriter.add_event`` replaced: it is called with each event, those of the constructor too."""
        seen = []
        stock = EventFileWriter.add_event

        def spy(self, event):
            seen.append(event.step)
            stock(self, event)

        monkeypatch.setattr(EventFileWriter, "add_event", spy)
        with writer_class(logdir, graph) as writer:
            self.use(writer)
        assert seen == [0, 0, 1, 2, 3, 4]
        assert len(read_events(logdir)) == 6

    def test_patched_add_summary(self, writer_class, graph, logdir, monkeypatch, read_points):
        """``FileWriter.add_summary`` replaced: it is called with each summary, and what it hands on lands."""
        seen = []
        stock = FileWriter.add_summary

        def spy(self, summary, global_step=None):
            seen.append((summary if isinstance(summary, bytes) else summary.SerializeToString(), global_step))
            return stock(self, summary, global_step)

        monkeypatch.setattr(FileWriter, "add_summary", spy)
        with writer_class(logdir) as writer:
            self.use(writer)
        assert seen == [(scalar("a").SerializeToString(), 1), (scalar("b").SerializeToString(), 2)]
        assert read_points(logdir) == {"a": [(1, 0.5)], "b": [(2, 0.5)]}

    def test_patched_base_class(self, writer_class, graph, logdir, monkeypatch, read_points):
        """The same, replaced where the method is defined."""
        base = FileWriter.__mro__[1]
        seen = []
        stock = base.add_summary

        def spy(self, summary, global_step=None, **more):
            seen.append(global_step)
            return stock(self, summary, global_step, **more)

        monkeypatch.setattr(base, "add_summary", spy)
        with writer_class(logdir) as writer:
            self.use(writer)
        assert seen == [1, 2]
        assert read_points(logdir) == {"a": [(1, 0.5)], "b": [(2, 0.5)]}

    def test_patch_with_metadata(self, graph, logdir, monkeypatch, read_events):
        """With ``add_summary`` replaced, metadata is kept once all the same, and the caller's message is untouched."""
        stock = FileWriter.add_summary
        monkeypatch.setattr(FileWriter, "add_summary", lambda self, summary, step=None: stock(self, summary, step))
        summary = text()
        with SafeFileWriter(logdir) as writer:
            for step in range(3):
                writer.add_summary(summary, step)
        names = [event.summary.value[0].metadata.plugin_data.plugin_name for event in read_events(logdir)]
        assert names == ["text", "", ""]
        assert summary == text()

    def test_proxy_for_the_event_writer(self, writer_class, graph, logdir, read_events):
        """``writer.event_writer`` swapped for a proxy: it gets each event, each flush, and the close."""

        class Proxy:
            def __init__(self, inner):
                self.inner = inner
                self.seen = []

            def add_event(self, event):
                self.seen.append(event.step)
                self.inner.add_event(event)

            def __getattr__(self, name):
                self.seen.append(name)
                return getattr(self.inner, name)

        with writer_class(logdir) as writer:
            proxy = writer.event_writer = Proxy(writer.event_writer)
            self.use(writer)
            writer.flush()
            assert writer.get_logdir() == logdir
        assert proxy.seen == [1, 2, 3, 4, "flush", "get_logdir", "close"]
        assert len(read_events(logdir)) == 4

    def test_tracker_that_fails(self, writer_class, graph, logdir, monkeypatch):
        """An exception of a tracker's reaches the caller, as it would through the stock class."""

        def broken(self, event):
            raise ConnectionError("the tracker's server is gone")

        with writer_class(logdir) as writer:
            monkeypatch.setattr(EventFileWriter, "add_event", broken)
            with pytest.raises(ConnectionError):
                writer.add_summary(scalar(), 1)
            monkeypatch.undo()


class TestSession:
    """``session=``: events go through a summary resource of the session."""

    def test_events_land(self, writer_class, graph, logdir, read_points):
        """What is added lands, with graph and suffix, and is counted."""
        with v1.Session() as sess:
            writer = writer_class(logdir, session=sess, filename_suffix=".s")
            for step in range(3):
                writer.add_summary(scalar(), step)
            writer.flush()
            assert len(read_points(logdir)["loss"]) == 3
            writer.close()
            assert writer.get_logdir() == logdir
            if writer_class is SafeFileWriter:
                report = writer.report()
                assert (report.events, report.landed, report.lost) == (3, 3, 0)
        assert all(name.endswith(".s") for name in os.listdir(logdir))

    def test_two_of_one_session(self, writer_class, graph, logdir, read_points):
        """Two writers of one session and directory share a file."""
        with v1.Session() as sess:
            options = ignoring(writer_class, "SW204")
            first, second = (writer_class(logdir, session=sess, **options) for _ in range(2))
            first.add_summary(scalar("a"), 1)
            second.add_summary(scalar("b"), 1)
            first.flush()
            assert read_points(logdir) == {"a": [(1, 0.5)], "b": [(1, 0.5)]}
            first.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SafeWriterWarning)  # the other one can't be closed in another session
            with contextlib.suppress(Exception):
                second.close()

    def test_use_after_close(self, writer_class, graph, logdir):
        """The warning after close is the same."""
        with v1.Session() as sess:
            writer = writer_class(logdir, session=sess, **ignoring(writer_class, "SW504"))
            writer.add_summary(scalar(), 1)
            writer.close()
            with pytest.warns(UserWarning, match=CLOSED):
                writer.add_summary(scalar(), 2)
            writer.reopen()
            writer.add_summary(scalar(), 3)
            writer.close()

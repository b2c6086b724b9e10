"""Facts of TensorFlow that safewriter is built on: where one changes, this says so before a user does."""

import importlib.metadata
import inspect
import os
import threading
import time

import pytest
import tensorflow as tf
from tensorflow.python.framework.errors import PermissionDeniedError, UnimplementedError
from tensorflow.python.summary.writer import writer as writer_module
from tensorflow.python.summary.writer.event_file_writer import EventFileWriter
from tensorflow.python.summary.writer.event_file_writer_v2 import EventFileWriterV2

v1 = tf.compat.v1
FileWriter = v1.summary.FileWriter


def scalar(number=0.5):
    return v1.Summary(value=[v1.Summary.Value(tag="loss", simple_value=number)])


class TestStockWriter:
    def test_all_goes_through_add_event(self, graph, tmp_path, monkeypatch):
        """The base class calls ``event_writer.add_event`` for everything, twice before its constructor returns."""
        seen = []
        monkeypatch.setattr(EventFileWriter, "add_event", lambda self, event: seen.append(event.WhichOneof("what")))
        writer = FileWriter(str(tmp_path), graph)
        assert seen == ["graph_def", "meta_graph_def"]
        writer.add_summary(scalar(), 1)
        writer.add_session_log(v1.SessionLog())
        writer.add_graph(graph)
        writer.add_meta_graph(v1.MetaGraphDef())
        writer.add_run_metadata(v1.RunMetadata(), "tag")
        writer.add_event(v1.Event(file_version="x"))
        writer.close()
        assert seen[2:] == [
            "summary", "session_log", "graph_def", "meta_graph_def", "tagged_run_metadata", "file_version",
        ]  # fmt: skip

    def test_add_event_hands_on_to_try_put(self):
        """``EventFileWriter.add_event`` looks whether it is closed and calls ``_try_put``: ours takes over there."""
        names = EventFileWriter.add_event.__code__.co_names
        assert names == ("_closed", "_try_put")

    def test_constructors(self):
        """The constructors that ours passes over, or calls, take what they took."""
        base = writer_module.SummaryToEventTransformer
        assert FileWriter.__mro__[1] is base
        assert list(inspect.signature(base.__init__).parameters) == ["self", "event_writer", "graph", "graph_def"]
        assert list(inspect.signature(EventFileWriterV2.__init__).parameters)[1:] == [
            "session", "logdir", "max_queue", "flush_secs", "filename_suffix",
        ]  # fmt: skip

    def test_metadata_is_remembered_in_a_set_of_tags(self, graph, tmp_path):
        """``_seen_summary_tags`` is what the base class strips metadata by."""
        with FileWriter(str(tmp_path)) as writer:
            assert writer._seen_summary_tags == set()

    def test_files_of_one_second_are_one(self, graph, tmp_path, read_points):
        """Names hold the second and the host alone: of two writers of one second, the first's events are lost."""
        for _ in range(20):  # until two fall into one second
            logdir = str(tmp_path / str(time.time_ns()))
            second = int(time.time())
            for step in range(2):
                with FileWriter(logdir) as writer:
                    writer.add_summary(scalar(), step)
            if int(time.time()) == second:
                break
        assert len(os.listdir(logdir)) == 1
        assert read_points(logdir) == {"loss": [(1, 0.5)]}

    def test_no_event_no_file(self, graph, tmp_path):
        """Without an event there is no file: a constructor that succeeds proves nothing."""
        with FileWriter(str(tmp_path / "logs")):
            pass
        assert os.listdir(tmp_path / "logs") == []

    def test_lost_file_is_not_noticed(self, graph, tmp_path):
        """A file that is deleted is written on to, in silence."""
        with FileWriter(str(tmp_path)) as writer:
            writer.add_summary(scalar(), 1)
            writer.flush()
            for name in os.listdir(tmp_path):
                os.unlink(tmp_path / name)
            writer.add_summary(scalar(), 2)
            writer.flush()
        assert os.listdir(tmp_path) == []

    def test_cache_hands_out_stock_writers(self, graph, tmp_path):
        """``FileWriterCache`` keeps its writers in ``_cache``, by directory."""
        writer = v1.summary.FileWriterCache.get(str(tmp_path))
        assert v1.summary.FileWriterCache._cache == {str(tmp_path): writer}
        v1.summary.FileWriterCache.clear()
        assert v1.summary.FileWriterCache._cache == {}

    def test_every_writer_has_a_thread(self, graph, tmp_path):
        """The stock writer starts a thread; that is what a fork loses."""
        before = threading.active_count()
        with FileWriter(str(tmp_path)):
            assert threading.active_count() == before + 1


class TestStrategies:
    def test_graph_in_the_scope_hides_it(self):
        """``has_strategy()`` is False when a graph was entered inside the scope."""
        strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        with strategy.scope():
            assert tf.distribute.has_strategy()
            with tf.Graph().as_default():
                assert not tf.distribute.has_strategy()
            assert tf.distribute.has_strategy()

    def test_replica_context(self):
        """In a replica function there is a replica context, in the scope a cross-replica one."""
        strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        with strategy.scope():
            assert tf.distribute.in_cross_replica_context()
        seen = []
        strategy.run(lambda: seen.append(tf.distribute.in_cross_replica_context()))
        assert seen == [False]


class TestSummaryOps:
    @pytest.mark.parametrize(
        ("make", "name", "tags"),
        [
            (lambda: v1.summary.scalar("a", 1.0), "tags", ["a"]),
            (lambda: v1.summary.histogram("a", [1.0]), "tag", ["a"]),
            (lambda: v1.summary.image("a", tf.zeros([2, 2, 2, 3])), "tag", ["a/image/0", "a/image/1"]),
            (lambda: v1.summary.image("a", tf.zeros([1, 2, 2, 3])), "tag", ["a/image/0"]),
            (lambda: v1.summary.image("a", tf.zeros([2, 2, 2, 3]), max_outputs=1), "tag", ["a/image"]),
            (lambda: v1.summary.audio("a", tf.zeros([2, 9, 1]), 8000), "tag", ["a/audio/0", "a/audio/1"]),
            (lambda: v1.summary.audio("a", tf.zeros([2, 9, 1]), 8000, max_outputs=1), "tag", ["a/audio"]),
            (lambda: v1.summary.text("a", tf.constant("x")), "tag", ["a"]),
            (lambda: v1.summary.tensor_summary("a", [1.0]), "tag", ["a"]),
        ],
        ids=["scalar", "histogram", "images", "batch-of-one", "one-image", "audio", "one-audio", "text", "tensor"],
    )
    def test_tag_is_a_constant_input(self, graph, make, name, tags):
        """An op's tag is its constant first input, ``tag`` or ``tags``; images and audio add to it."""
        fetch = make()
        op = fetch.op
        assert op.op_def.input_arg[0].name == name
        assert op.inputs[0].op.type == "Const"
        assert op.inputs[0].op.get_attr("value").string_val[0] == b"a"
        with v1.Session() as sess:
            assert [value.tag for value in v1.Summary.FromString(sess.run(fetch)).value] == tags

    def test_traceback_holds_the_users_line(self, graph):
        """``op.traceback`` names this file and the line that defined the op."""
        line = inspect.currentframe().f_lineno + 1
        op = v1.summary.scalar("a", 1.0).op
        assert (__file__, line) in [(frame.filename, frame.lineno) for frame in op.traceback]

    def test_merge_all_of_nothing_is_none(self, graph):
        """``merge_all`` of a graph without summaries is None, not an error."""
        assert v1.summary.merge_all() is None

    def test_summaries_of_functions_are_not_in_the_graph(self, graph):
        """What is defined in ``Dataset.map`` belongs to that function's graph."""
        tf.data.Dataset.from_tensors(1.0).map(lambda x: (v1.summary.scalar("a", x), x)[1])
        assert v1.summary.merge_all() is None
        assert [op.type for op in graph.get_operations() if "Summary" in op.type] == []


class TestFileSystems:
    def test_schemes(self):
        """TensorFlow lists the schemes that it has file systems for; ``ram`` is one, ``s3`` needs a plug-in."""
        schemes = tf.io.gfile.get_registered_schemes()
        assert {"", "file", "ram"} <= set(schemes)
        assert "s3" not in schemes

    def test_unknown_scheme(self):
        """Without the plug-in, the file system says so when it is used."""
        with pytest.raises(UnimplementedError):
            tf.io.gfile.makedirs("s3://bucket/logs")

    def test_errors_are_not_the_systems(self, tmp_path):
        """TensorFlow's errors are no ``OSError``, so that ``except OSError`` does not catch them."""
        (tmp_path / "file").write_text("")
        with pytest.raises(tf.errors.OpError) as caught:
            tf.io.gfile.makedirs(str(tmp_path / "file" / "logs"))
        assert not isinstance(caught.value, OSError)
        assert not issubclass(PermissionDeniedError, OSError)


FLUSHED_IN_DEL = """
import sys
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
class Flushing(tf.summary.FileWriter):
    def __del__(self):
        self.flush()
writer = Flushing("logs")
for step in range(3):
    writer.add_summary(tf.Summary(), step)
sys.stdout.flush()
"""


class TestEnds:
    def test_flush_in_del_hangs(self, run_forked):
        """A ``__del__`` that flushes when the program ends waits for a thread that is gone: the program never ends."""
        with pytest.raises(AssertionError, match="did not end"):
            run_forked(FLUSHED_IN_DEL, timeout=5)

    def test_exit_hooks_and_finalizers_run_while_threads_live(self, run_forked):
        """``atexit`` and ``weakref.finalize`` run while objects and daemon threads are still there."""
        outcome = run_forked("""
import atexit, queue, threading, weakref
class Thing:
    pass
asked, answered = queue.Queue(), queue.Queue()
threading.Thread(target=lambda: [answered.put(each) for each in iter(asked.get, None)], daemon=True).start()
def ask(name):
    asked.put(name)
    print(answered.get(timeout=20), thing is not None)
thing = Thing()
weakref.finalize(thing, ask, "finalizer")
atexit.register(ask, "hook")
""")
        assert outcome.stdout.splitlines() == ["hook True", "finalizer True"], outcome.stderr

    def test_exit_hooks_do_not_run_in_multiprocessings_children(self, run_forked):
        """A forked child of multiprocessing ends by ``os._exit``: no exit hook runs."""
        outcome = run_forked("""
import atexit, multiprocessing, os
atexit.register(lambda parent=os.getpid(): print("hook", os.getpid() == parent))
process = multiprocessing.get_context("fork").Process(target=print, args=("work",))
process.start()
process.join()
""")
        assert sorted(outcome.stdout.splitlines()) == ["hook True", "work"]


def test_tensorboard_is_no_longer_brought_along():
    """TensorFlow 2.21 does not require TensorBoard; older ones do."""
    version = tuple(int(part) for part in tf.__version__.split(".")[:2])
    (name,) = {each for each in ("tensorflow", "tensorflow-cpu", "tensorflow-intel") if _installed(each)} or {None}
    if name is None:
        pytest.skip("TensorFlow is installed under another name")
    required = [each for each in importlib.metadata.requires(name) or () if "extra ==" not in each]
    assert any(each.startswith("tensorboard") for each in required) == (version < (2, 20))


def _installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

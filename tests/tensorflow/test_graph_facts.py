"""What is read from real graphs; TensorFlow's private ways that this rests on have tests of their own."""

import inspect
import os
import warnings
import weakref

import pytest
import tensorflow as tf

from safewriter.checks.summary_ops import GraphFacts
from safewriter.facts.graph import GraphView, graph_view

v1 = tf.compat.v1
summary = v1.summary


def graph_facts(graph, label="graph", known=None):
    return GraphView(graph).facts(known or GraphFacts(label=label))


def graph_version(graph):
    return GraphView(graph).version()


def summary_ops_since(graph, index):
    return GraphView(graph).ops_since(index)


def is_graph(value):
    return graph_view(value) is not None


HERE = os.path.relpath(__file__)

with warnings.catch_warnings():
    # TensorBoard up to 2.18 imports pkg_resources, which warns of its own end.
    warnings.simplefilter("ignore")
    from tensorboard.plugins.scalar import summary as scalar_plugin
    from tensorboard.summary import v1 as board


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture(params=[False, True], ids=["cond-v1", "cond-v2"])
def control_flow(request):
    """Control flow of both kinds: programs that call ``disable_v2_behavior`` have the first."""
    was = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if request.param else v1.disable_control_flow_v2)()
    yield request.param
    (v1.enable_control_flow_v2 if was else v1.disable_control_flow_v2)()


def next_line():
    """The line below the caller's, as safewriter shows it."""
    return f"{HERE}:{inspect.currentframe().f_back.f_lineno + 1}"


def only(graph):
    (op,) = graph_facts(graph).ops
    return op


def tags_written(graph, fetch):
    with v1.Session(graph=graph) as sess:
        return [value.tag for value in v1.Summary.FromString(sess.run(fetch)).value]


IMAGES = [2, 4, 4, 3]
KINDS = {
    "scalar": (lambda: summary.scalar("a", 1.0), "scalar", "a"),
    "histogram": (lambda: summary.histogram("a", [1.0, 2.0]), "histogram", "a"),
    "images": (lambda: summary.image("a", tf.zeros(IMAGES)), "image", "a"),
    "one-image": (lambda: summary.image("a", tf.zeros(IMAGES), max_outputs=1), "image", "a"),
    "audio": (lambda: summary.audio("a", tf.zeros([2, 9, 1]), 8000), "audio", "a"),
    "one-audio": (lambda: summary.audio("a", tf.zeros([2, 9, 1]), 8000, max_outputs=1), "audio", "a"),
    "text": (lambda: summary.text("a", tf.constant("hello")), "text", "a"),
    "tensor": (lambda: summary.tensor_summary("a", tf.zeros([3])), "tensor", "a"),
    "family": (lambda: summary.scalar("a", 1.0, family="f"), "scalar", "f/f/a"),
    "illegal-characters": (lambda: summary.scalar("a b!", 1.0), "scalar", "a_b_"),
    "raw-op": (lambda: tf.raw_ops.ScalarSummary(tags="a", values=1.0), "scalar", "a"),
    "raw-op-of-several": (lambda: tf.raw_ops.ScalarSummary(tags=["a", "b"], values=[1.0, 2.0]), "scalar", "a"),
    "board-scalar": (lambda: board.scalar("a", tf.constant(1.0)), "scalar", "a/scalar_summary"),
    "board-plugin-op": (lambda: scalar_plugin.op("a", tf.constant(1.0)), "scalar", "a/scalar_summary"),
    "board-histogram": (lambda: board.histogram("a", tf.zeros([3])), "histogram", "a/histogram_summary"),
    "board-text": (lambda: board.text("a", tf.constant("hello")), "text", "a/text_summary"),
    "board-pr-curve": (
        lambda: board.pr_curve("a", labels=tf.constant([True]), predictions=tf.constant([0.5]), num_thresholds=5),
        "tensor",
        "a/pr_curves",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("define", "kind", "tag"), KINDS.values(), ids=KINDS)
def test_each_kind_is_seen_with_its_tag_and_line(graph, define, kind, tag):
    """Every kind of summary op is found, with its tag, on the user's line, and lands under a tag that we expect."""
    fetch = define()
    op = only(graph)
    assert (op.kind, op.tag) == (kind, tag)
    assert op.place.startswith(f"{HERE}:")
    assert set(op.landing_tags()) & set(tags_written(graph, fetch))
    assert op.accountable


def test_board_image_and_audio(graph):
    """TensorBoard's image and audio ops are tensors: they land under their tag as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorBoard still calls map_fn as it was called years ago
        fetches = [board.image("a", tf.zeros(IMAGES, tf.uint8)), board.audio("b", tf.zeros([1, 9, 1]), 8000)]
    assert [(op.kind, op.tag) for op in graph_facts(graph).ops] == [
        ("tensor", "a/image_summary"),
        ("tensor", "b/audio_summary"),
    ]
    assert tags_written(graph, summary.merge(fetches)) == ["a/image_summary", "b/audio_summary"]


def test_name_scopes_and_names_made_unique(graph):
    """A tag is what TensorFlow made of the name: with its scopes, and a number where it was taken."""
    for _ in range(2):
        with tf.name_scope("train"):
            summary.scalar("loss", 1.0)
            summary.scalar("loss", 1.0)
    assert [op.tag for op in graph_facts(graph).ops] == [
        "train/loss", "train/loss_1", "train_1/loss", "train_1/loss_1",
    ]  # fmt: skip


def test_line_of_a_helper(graph):
    """The line is the innermost of the user's: the helper's, not its caller's."""

    def helper():
        line = next_line()
        summary.scalar("a", 1.0)
        return line

    assert helper() == only(graph).place


def test_tag_that_is_not_constant(graph):
    """A tag that is fed has no value before the run: the op can't be held against anyone."""
    tf.raw_ops.ScalarSummary(tags=v1.placeholder(tf.string, []), values=1.0)
    tf.raw_ops.TensorSummary(tensor=tf.constant(1.0))
    assert [(op.tag, op.accountable, op.landing_tags()) for op in graph_facts(graph).ops] == [(None, False, ())] * 2


def test_tag_behind_an_identity(graph):
    """A constant stays one behind ``tf.identity``."""
    tf.raw_ops.ScalarSummary(tags=tf.identity(tf.constant("a")), values=1.0)
    assert only(graph).tag == "a"


def test_collections(graph):
    """All collections of an op are known; ops in none are found all the same."""
    summary.scalar("usual", 1.0)
    summary.scalar("val", 1.0, collections=["val"])
    summary.scalar("both", 1.0, collections=["val", "summaries"])
    summary.scalar("none", 1.0, collections=[])
    v1.get_variable("w", [2])
    graph.add_to_collection("mixed", "a string")
    graph.add_to_collection(("tuple", "key"), 1)
    assert {op.tag: set(op.collections) for op in graph_facts(graph).ops} == {
        "usual": {"summaries"},
        "val": {"val"},
        "both": {"val", "summaries"},
        "none": set(),
    }


def test_merges_of_merges(graph):
    """A merge holds what it merges, through other merges and ``tf.identity`` too."""
    a, b, c = (summary.scalar(name, 1.0) for name in "abc")
    inner = summary.merge([a, tf.identity(b)])
    line = next_line()
    outer = summary.merge([tf.identity(inner), c])
    facts = graph_facts(graph)
    assert [(merge.name, set(merge.holds)) for merge in facts.merges] == [
        (inner.op.name, {"a", "b"}),
        (outer.op.name, {"a", "b", "c"}),
    ]
    assert {op.tag: op.merged_by for op in facts.ops} == {
        "a": (inner.op.name, outer.op.name),
        "b": (inner.op.name, outer.op.name),
        "c": (outer.op.name,),
    }
    assert facts.merges[1].place == line
    assert [op.order for op in facts.ops] == sorted(op.order for op in facts.ops)
    assert facts.merges[0].order > facts.ops[-1].order


def test_merge_through_a_stack(graph):
    """Summaries that reach the merge as parts of a stacked tensor are held."""
    stacked = tf.stack([summary.scalar("a", 1.0), summary.scalar("b", 1.0)])
    merge = tf.raw_ops.MergeSummary(inputs=tf.unstack(stacked))
    assert set(graph_facts(graph).merges[0].holds) == {"a", "b"}
    assert tags_written(graph, merge) == ["a", "b"]


def test_inside_a_branch(graph, control_flow):
    """A summary in a branch is marked, or is inside a function where it can't be seen."""
    merged = tf.cond(tf.constant(True), lambda: summary.scalar("yes", 1.0), lambda: summary.scalar("no", 1.0))
    summary.scalar("plain", 1.0)
    summary.merge([merged])
    facts = graph_facts(graph)
    seen = {op.tag: op.conditional for op in facts.ops if op.tag.endswith(("yes", "no"))}
    assert len(seen) == (0 if control_flow else 2)
    assert all(seen.values())
    assert len(facts.merges[0].holds) == len(seen)
    assert not facts.ops[-1].conditional


def test_inside_a_loop(graph, control_flow):
    """A summary in the body of a loop does not stop the gathering of facts."""

    def body(i):
        with tf.control_dependencies([summary.scalar("inner", tf.cast(i, tf.float32))]):
            return i + 1

    tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])
    assert all(op.conditional for op in graph_facts(graph).ops)


def test_imported_ops_are_nobodys(graph):
    """An op that came with an imported graph has no line, and is not held against the program."""
    summary.scalar("a", 1.0)
    definition = graph.as_graph_def()
    with tf.Graph().as_default() as other:
        tf.import_graph_def(definition, name="")
        op = only(other)
    assert (op.tag, op.place, op.accountable) == ("a", "", False)


def test_ops_that_tensorflow_makes_for_itself(graph, capfd):
    """The input queues of TensorFlow define summaries that no user asked for."""
    v1.train.batch([tf.constant(1)], 2)
    (op,) = graph_facts(graph).ops
    assert "fraction_of" in op.tag
    assert not op.accountable


def test_merge_that_tensorflow_makes_for_itself(graph):
    """A ``Scaffold`` merges all summaries by itself: that merge has no line."""
    summary.scalar("a", 1.0)
    v1.train.get_or_create_global_step()
    v1.train.Scaffold().finalize()
    (merge,) = graph_facts(graph).merges
    assert (merge.place, merge.holds) == ("", ("a",))


def test_facts_are_completed_from_earlier_ones(graph):
    """Facts that were gathered with the help of earlier ones equal those gathered at once."""
    a = summary.scalar("a", 1.0)
    early = graph_facts(graph)
    summary.scalar("b", 1.0)
    summary.merge([a])
    middle = graph_facts(graph, known=early)
    summary.merge_all()
    assert graph_facts(graph, known=middle) == graph_facts(graph)
    assert graph_facts(graph, known=middle).ops[0].merged_by == ("Merge/MergeSummary", "Merge_1/MergeSummary")


def test_name_of_a_merge(graph):
    """A merge has the name that the program gave it; each of several on a line has its own."""
    a, b = summary.scalar("a", 1.0), summary.scalar("b", 1.0)
    summaries = summary.merge([a])
    train, test = summary.merge([a]), summary.merge([b])
    assert None not in (summaries, train, test, summary.merge_all())
    assert [merge.variable for merge in graph_facts(graph).merges] == ["summaries", "train", "test", ""]


def test_names_that_tensorflow_numbered(graph):
    """A number that TensorFlow gave because the name was taken, in any case, differs from one of the program's own."""
    tf.constant(1.0, name="Loss")
    tf.constant(1.0, name="layer")
    for number in (1, 2, 3):
        summary.scalar("loss", 1.0)
        summary.scalar(f"layer_{number}", 1.0)
        with tf.name_scope("eval"):
            summary.scalar("accuracy", 1.0)
    assert [(op.tag, op.renumbered) for op in graph_facts(graph).ops] == [
        ("loss_1", True), ("layer_1", False), ("eval/accuracy", False),
        ("loss_2", True), ("layer_2", False), ("eval_1/accuracy", True),
        ("loss_3", True), ("layer_3", False), ("eval_2/accuracy", True),
    ]  # fmt: skip


def test_summary_ops_since(graph):
    """Only what was created after the last look is returned, and nothing when nothing was."""
    summary.scalar("a", 1.0)
    found, index = summary_ops_since(graph, 0)
    assert [op.tag for op in found] == ["a"]
    assert summary_ops_since(graph, index) == ([], index)
    tf.constant(1)
    assert summary_ops_since(graph, index)[0] == []
    summary.scalar("b", 1.0)
    found, index = summary_ops_since(graph, index)
    assert [op.tag for op in found] == ["b"]
    assert index == graph_version(graph)
    assert found[0].order == next(op for op in graph_facts(graph).ops if op.tag == "b").order


def test_what_is_a_graph(graph):
    """The graph of a function, a GraphDef and None are none that sessions run."""
    inside = []
    tf.function(lambda: inside.append(v1.get_default_graph())).get_concrete_function()
    assert is_graph(graph)
    assert not any(is_graph(each) for each in (inside[0], graph.as_graph_def(), None))


def big_graph(ops):
    """A graph of about so many ops, made fast."""
    with tf.Graph().as_default() as seed:
        for _ in range(1000):
            v1.placeholder(tf.float32)
    definition = seed.as_graph_def()
    with tf.Graph().as_default() as graph:
        for part in range(ops // 1000):
            tf.import_graph_def(definition, name=f"part{part}")
        for _ in range(100):
            summary.scalar("a", 1.0)
        summary.merge_all()
    return graph


def test_big_graph_is_scanned_whole():
    """Among ten thousand ops no summary is missed."""
    graph = big_graph(10_000)
    facts = graph_facts(graph)
    assert len(facts.ops) == 100
    assert len(facts.merges[0].holds) == 100


def test_metadata_of_any_bytes(graph):
    """Summary metadata that is none leaves the op a plain tensor."""
    tf.raw_ops.TensorSummaryV2(tag="a", tensor=tf.constant(1.0), serialized_summary_metadata=b"\xff\xff")
    tf.raw_ops.TensorSummaryV2(tag="b", tensor=tf.constant(1.0), serialized_summary_metadata=b"")
    assert [op.kind for op in graph_facts(graph).ops] == ["tensor", "tensor"]


class TestTensorFlow:
    """Ways of TensorFlow that are not promised and may change."""

    def test_version_is_the_number_of_ops(self, graph):
        """``Graph.version`` counts the ops, imported ones too: it serves as an index into them."""
        summary.scalar("a", 1.0)
        tf.import_graph_def(graph.as_graph_def(), name="copy")
        tf.cond(tf.constant(True), lambda: 1, lambda: 2)
        assert graph.version == len(graph.get_operations())

    def test_operations_come_in_order_of_creation(self, graph):
        """``get_operations`` lists new ops behind the old ones."""
        before = [op.name for op in graph.get_operations()]
        for name in "zyx":
            summary.scalar(name, 1.0)
            names = [op.name for op in graph.get_operations()]
            assert names[: len(before)] == before
            before = names

    def test_traceback_holds_the_users_line_innermost_last(self, graph):
        """``Operation.traceback`` is indexable, has file names and lines, and is None for imported ops."""
        line = inspect.currentframe().f_lineno + 1
        op = summary.scalar("a", 1.0).op
        frames = [(frame.filename, frame.lineno) for frame in op.traceback]
        assert (__file__, line) in frames
        assert frames[-1][0] != __file__
        assert op.traceback[len(op.traceback) - 1].filename == frames[-1][0]

    def test_graphs_can_be_weakly_referred_to_and_are_keys(self, graph):
        """A graph is hashable by identity and has weak references."""
        assert weakref.WeakKeyDictionary({graph: 1})[graph] == 1
        assert graph != tf.Graph()

    def test_names_in_use(self, graph):
        """The private table of names counts how often each was asked for, in lower case."""
        for name in ("Loss", "loss", "loss"):
            tf.constant(1.0, name=name)
        assert {name: graph._names_in_use[name] for name in ("loss", "loss_1", "loss_2")} == {
            "loss": 3, "loss_1": 1, "loss_2": 1,
        }  # fmt: skip

    def test_control_flow_context(self, graph):
        """The private accessor of an op's control flow exists, and gives None outside of any."""
        assert summary.scalar("a", 1.0).op._get_control_flow_context() is None

"""The judges of SW301 to SW304, over tables of graphs: what is reported, with which cause, and what is left alone."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from safewriter.checks.graph import GrowthJudge, judge_graph, unwritten
from safewriter.checks.summary_ops import GraphFacts, MergeOp, SummaryOp


def graph(*steps):
    """A graph from words: ``a`` an op, ``a@val`` in a collection, ``m=a,b`` a merge, ``~m=a`` one of TensorFlow's."""
    ops, merges = [], []
    for order, step in enumerate(steps):
        line = f"train.py:{order + 1}"
        if "=" in step:
            name, held = step.split("=")
            merges.append(
                MergeOp(name.lstrip("~"), "" if name.startswith("~") else line, order, tuple(held.split(",")))
            )
        else:
            name, _, collection = step.partition("@")
            collections = {"": ("summaries",), "none": ()}.get(collection, (collection,))
            ops.append(SummaryOp(name, name, place=line, collections=collections, order=order))
    held_by = {op.name: tuple(m.name for m in merges if op.name in m.holds) for op in ops}
    return GraphFacts(
        tuple(SummaryOp(op.name, op.tag, place=op.place, collections=op.collections, order=op.order,
                        merged_by=held_by[op.name]) for op in ops),
        tuple(merges),
    )  # fmt: skip


def reported(findings):
    """What findings name: ``SW302 never-written: a b``."""
    return [f"{f.code} {f.data['cause']}: {' '.join(op['name'] for op in f.data['ops'])}" for f in findings]


# name: (graph, written, what is reported at the end)
BROKEN = {
    "one op": (["a"], "", ["SW301 never-merged: a"]),
    "two ops": (["a", "b"], "", ["SW301 never-merged: a b"]),
    "merged, thrown away": (["a", "b", "m=a,b"], "", ["SW302 never-written: a b"]),
    "only hand-made tags written": (["a", "m=a"], "x", ["SW302 never-written: a"]),
    "nothing written, one after the merge": (
        ["a", "m=a", "b"], "", ["SW302 never-written: a", "SW301 never-merged: b"]),
    "after the merge": (["a", "m=a", "b"], "a", ["SW303 after-the-merge: b"]),
    "between two merges of the first part": (["a", "m=a", "b", "n=a"], "a", ["SW303 left-out: b"]),
    "another collection": (["a", "b@val", "m=a"], "a", ["SW303 other-collection: b"]),
    "another collection, after the merge": (["a", "m=a", "b@val"], "a", ["SW303 other-collection: b"]),
    "no collection": (["a", "b@none", "m=a"], "a", ["SW303 other-collection: b"]),
    "left out of the list": (["a", "b", "m=a"], "a", ["SW303 left-out: b"]),
    "run one by one, one forgotten": (["a", "b"], "a", ["SW303 no-merge: b"]),
    "test merge never written": (["a", "m=a", "b", "n=b"], "a", ["SW302 never-written: b"]),
    "test merge_all never written": (["a", "m=a", "b", "n=a,b"], "a", ["SW302 never-written: b"]),
    "one of a merge run alone": (["a", "b", "m=a,b"], "a", ["SW302 never-written: b"]),
    "TensorFlow's own merge, nothing written": (["a", "~m=a"], "", ["SW302 never-written: a"]),
    "TensorFlow's own merge explains nothing": (["a", "m=a", "b", "~n=a,b"], "a", ["SW303 after-the-merge: b"]),
    "each cause at once": (
        ["a", "b", "c@val", "m=a", "d", "x", "y", "n=x,y"], "a x",
        ["SW303 left-out: b d", "SW303 other-collection: c", "SW302 never-written: y"],
    ),
}  # fmt: skip

CORRECT = {
    "empty graph": ([], ""),
    "all written": (["a", "b", "m=a,b"], "a b"),
    "written one by one": (["a", "b"], "a b"),
    "more written than the graph has": (["a", "m=a"], "a x y"),
    "merge of merges": (["a", "b", "m=a", "n=b", "o=a,b"], "a b"),
    "collections apart": (["a", "b@val", "m=a", "n=b"], "a b"),
    "merged but run one by one": (["a", "b", "m=a,b"], "a b"),
}


@pytest.mark.parametrize(("steps", "written", "expected"), BROKEN.values(), ids=BROKEN)
def test_broken(steps, written, expected):
    """Each op that never landed is reported once, with its cause."""
    assert sorted(reported(judge_graph(graph(*steps), set(written.split()), 5))) == sorted(expected)


@pytest.mark.parametrize(("steps", "written"), CORRECT.values(), ids=CORRECT)
def test_correct(steps, written):
    """Of a graph that was written whole nothing is reported."""
    assert judge_graph(graph(*steps), set(written.split()), 5) == []


def test_told_before():
    """What an earlier finding named is not reported again, and the rest has a subject of its own."""
    facts = graph("a", "m=a", "b", "c")
    (first,) = judge_graph(facts, {"a"}, 1, reported={"c"})
    (second,) = judge_graph(facts, {"a"}, 1, reported={"b"})
    assert reported([first, second]) == ["SW303 after-the-merge: b", "SW303 after-the-merge: c"]
    assert first.subject != second.subject
    assert judge_graph(facts, {"a"}, 1, reported={"b", "c"}) == []


@pytest.mark.parametrize(
    "op",
    [SummaryOp("a", None, place="t.py:1"), SummaryOp("a", "a", place="")],
    ids=["tag known only at the run", "nobody's line"],
)
def test_never_accused(op):
    """Ops whose tag only a run knows, and ops that no line of the program defined, are left alone."""
    assert judge_graph(GraphFacts((op,)), set(), 0) == []


def test_branch_that_is_never_taken():
    """A summary in a branch may never run while others do; where nothing ran it is reported."""
    facts = GraphFacts(
        (SummaryOp("a", "a", place="t.py:1"), SummaryOp("b", "b", place="t.py:2", order=1, conditional=True))
    )
    assert judge_graph(facts, {"a"}, 5) == []
    assert reported(judge_graph(facts, set(), 5)) == ["SW301 never-merged: a b"]


@pytest.mark.parametrize(
    ("kind", "tag", "counts"),
    [
        ("scalar", "a", True),
        ("scalar", "a/image", False),
        ("image", "a/image", True),
        ("image", "a/image/0", True),
        ("image", "a", False),
        ("audio", "a/audio", True),
        ("audio", "a/audio/0", True),
        ("audio", "a/image/0", False),
        ("text", "a", True),
        ("tensor", "a", True),
    ],
)
def test_landing_tags(kind, tag, counts):
    """An op landed when a tag was written that an op of its kind is written under."""
    facts = GraphFacts((SummaryOp("a", "a", kind, "t.py:1"),))
    assert (unwritten(facts, {tag}) == []) is counts


class TestMessages:
    """Each part of a message has its own test: wording may be improved, not lost."""

    def finding(self, *steps, written="", adds=0):
        (finding,) = judge_graph(graph(*steps), set(written.split()), adds)
        return finding

    def test_tags_and_lines(self):
        """Tags are named with the lines that defined them."""
        assert "'a' (train.py:1), 'b' (train.py:2)" in self.finding("a", "b").message

    def test_ten_are_named_and_the_rest_counted(self):
        """Of many ops ten are named; the data holds all."""
        finding = self.finding(*(f"op{n}" for n in range(25)))
        assert "25 summary ops" in finding.message
        assert "'op9' (train.py:10) and 15 more" in finding.message
        assert "op10" not in finding.message
        assert len(finding.data["ops"]) == 25

    def test_ten_exactly(self):
        """Where there are no more than ten, no more are counted."""
        assert " more" not in self.finding(*(f"op{n}" for n in range(10))).message

    def test_no_merge_op(self):
        """SW301 says that the graph has no merge op, and the call that makes one, with its place."""
        finding = self.finding("a", "b")
        assert "no merge op" in finding.message
        assert "Below train.py:2" in finding.hint
        assert "`merged = tf.compat.v1.summary.merge_all()`" in finding.hint

    def test_merge_of_a_collection(self):
        """For ops of a collection of their own the call names its key."""
        assert 'merge_all(key="val")' in self.finding("a@val").hint

    def test_merge_of_no_collection(self):
        """For ops in no collection the call lists them."""
        assert "tf.compat.v1.summary.merge([a_summary])" in self.finding("a@none").hint

    def test_nothing_was_added(self):
        """SW302 without any add says so, and where the merge is."""
        finding = self.finding("a", "m=a")
        assert "never called" in finding.message
        assert "The merge op at train.py:2" in finding.message
        assert "`writer.add_summary(summary, step)`" in finding.hint
        assert "the merge op at train.py:2" in finding.hint

    @pytest.mark.parametrize(
        ("variable", "shown"),
        [
            ("summaries", "`summary = sess.run(summaries)`, then `writer.add_summary(summary, step)`"),
            ("self.merged", "`summary = sess.run(self.merged)`, then `writer.add_summary(summary, step)`"),
            ("summary", "`value = sess.run(summary)`, then `writer.add_summary(value, step)`"),
            ("", "here called `merged`, and write what it returns. At each step: `summary = sess.run(merged)`"),
        ],
    )
    def test_name_of_the_merge(self, variable, shown):
        """The hint of SW302 uses the program's own name of the merge, and does not overwrite it."""
        facts = graph("a", "m=a")
        facts = replace(facts, merges=tuple(replace(merge, variable=variable) for merge in facts.merges))
        (finding,) = judge_graph(facts, set(), 0)
        assert shown in finding.hint

    def test_name_of_the_merge_that_is_to_be_moved(self):
        """So do the hints of SW301 and SW303 that move a merge."""
        facts = graph("a", "m=a", "b")
        facts = replace(facts, merges=tuple(replace(merge, variable="summaries") for merge in facts.merges))
        (after,) = judge_graph(facts, {"a"}, 1)
        assert "Move `summaries = tf.compat.v1.summary.merge_all()` from train.py:2 below train.py:3" in after.hint
        _, never = judge_graph(facts, set(), 0)
        assert "`summary = sess.run(summaries)`" in never.hint

    def test_other_things_were_added(self):
        """SW302 with adds says how many, and that they were others."""
        message = self.finding("a", "m=a", written="x", adds=200).message
        assert "called 200 times" in message
        assert "something else" in message

    def test_after_the_merge(self):
        """SW303 says where the merge is and below which line it belongs."""
        finding = self.finding("a", "m=a", "b", written="a", adds=7)
        assert "after the summaries were merged" in finding.message
        assert "1 other op of the graph reached a writer in 7 add_summary calls" in finding.message
        assert "from train.py:2 below train.py:3" in finding.hint

    def test_other_collection(self):
        """SW303 names the collection, and the call that merges it."""
        finding = self.finding("a", "b@val", "m=a", written="a", adds=1)
        assert "in the collection 'val'" in finding.message
        assert 'merge_all(key="val")' in finding.hint

    def test_left_out(self):
        """SW303 names the merge whose list lacks the op."""
        finding = self.finding("a", "b", "m=a", written="a", adds=1)
        assert "left out" in finding.message
        assert "the list at train.py:3" in finding.hint

    @pytest.mark.parametrize("case", [case for case in BROKEN.values() if case[0]], ids=BROKEN)
    def test_every_message(self, case):
        """Every finding is a JSON value, has a hint, and no sentence that lost a part."""
        for finding in judge_graph(graph(*case[0]), set(case[1].split()), 3):
            json.dumps(finding.as_dict())
            text = f"{finding.message} {finding.hint}"
            assert finding.hint
            assert "  " not in text
            assert ".." not in text.replace("...", "")
            assert " at  " not in text
            assert "at ," not in text


names = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(
    names,
    st.lists(st.tuples(st.integers(0, 8), st.sets(st.sampled_from("abcdefgh")))),
    st.sets(st.sampled_from("abcdefghx")),
)
def test_every_missing_op_is_told_exactly_once(ops, merges, written):
    """Whatever the graph: each op that was not written is named once, and none that was."""
    steps = list(ops)
    for index, (at, held) in enumerate(merges):
        if held & set(ops):
            steps.insert(at, f"m{index}={','.join(sorted(held & set(ops)))}")
    facts = graph(*steps)
    found = judge_graph(facts, written, 3)
    done = [op["name"] for finding in found for op in finding.data["ops"]]
    assert sorted(done) == sorted(set(ops) - written)


def grown(looks, before=("loss",)):
    """The finding of a growth judge, and the look at which it came, over tags (and lines) per look."""
    judge = GrowthJudge([SummaryOp(tag, tag, place="t.py:9") for tag in before], "graph 1")
    found = []
    for number, tags in enumerate(looks, start=2):
        finding = judge.look(number, [SummaryOp(tag, tag, place=line) for tag, line in tags])
        if finding is not None:
            found.append((number, finding))
    return found


def at(line, *tags):
    return [(tag, line) for tag in tags]


GROWING = {
    "made unique": [at("t.py:9", f"loss_{n}") for n in range(1, 20)],
    "made unique, now and then": [at("t.py:9", f"loss_{n // 10}") if n % 10 == 0 else [] for n in range(10, 80)],
    "two ops a step": [at("t.py:9", f"loss_{n}", f"acc_{n}") for n in range(1, 20)],
    "scope made unique": [at("t.py:9", f"loss_{n}/x") for n in range(20)],
    "numbered by the program": [at("t.py:9", f"step{n}") for n in range(20)],
}
NOT_GROWING = {
    "nothing": [[]] * 50,
    "one built lazily": [[], at("t.py:20", "val"), *([[]] * 50)],
    "a few different": [at("t.py:20", "val"), [], at("t.py:21", "test"), [], at("t.py:22", "final"), *([[]] * 20)],
    "a helper with different tags": [at("t.py:20", word) for word in ("val", "test", "f1", "auc", "recall")],
    "many at once": [at("t.py:20", *(f"loss_{n}" for n in range(30))), *([[]] * 50)],
    "layers by a helper": [at("t.py:20", f"layer{n}") for n in range(6)],
    "rebuilt once": [[], at("t.py:9", "loss_1"), *([[]] * 50)],
}  # fmt: skip


@pytest.mark.parametrize("looks", GROWING.values(), ids=GROWING)
def test_growth(looks):
    """Summary ops that a loop defines are reported once, with their line."""
    before = ("loss", "acc", "loss/x")
    ((_, finding),) = grown(looks, before)
    assert finding.code == "SW304"
    assert finding.subject == "graph 1"
    assert "t.py:9" in finding.message
    json.dumps(finding.as_dict())


@pytest.mark.parametrize("looks", NOT_GROWING.values(), ids=NOT_GROWING)
def test_no_growth(looks):
    """A few summary ops that are built in the middle of a run are no loop."""
    assert grown(looks) == []


def test_growth_where_the_plain_tag_is_taken():
    """Tags that TensorFlow numbered are reported at the third repeat, though none has the plain tag; others are not."""
    for renumbered, expected in ((True, [4]), (False, [])):
        judge = GrowthJudge([SummaryOp("loss_1", "loss_1", renumbered=renumbered)])
        found = [
            (number, judge.look(number, [SummaryOp(tag, tag, place="t.py:9", renumbered=renumbered)]))
            for number, tag in enumerate(("loss_2", "loss_3", "loss_4", "loss_5", "loss_6"), start=2)
        ]
        reported_at = [(number, finding) for number, finding in found if finding is not None]
        assert [number for number, _ in reported_at] == expected
        for _, finding in reported_at:
            assert "'loss' was defined again 3 times, as 'loss_2', 'loss_3', 'loss_4'" in finding.message
            assert "t.py:9" in finding.message


def test_growth_message():
    """SW304 names the base tag, the line, how many by now, and both ways to fix it."""
    ((number, finding),) = grown([at("t.py:9", f"loss_{n}") for n in range(1, 9)])
    assert number == 4
    assert "'loss' was defined again 3 times, as 'loss_1', 'loss_2', 'loss_3'" in finding.message
    assert "since the first of 4 add_summary calls" in finding.message
    assert "placeholder" in finding.hint
    assert 'Value(tag="loss", simple_value=x)' in finding.hint


@pytest.mark.parametrize("kind", ["histogram", "image"])
def test_growth_of_other_kinds(kind):
    """What is no number can't be written without an op; and an op of no known line is reported as well."""
    judge = GrowthJudge([SummaryOp("a", "a", kind)])
    found = [judge.look(number, [SummaryOp(f"a_{number}", None, kind)]) for number in range(1, 9)]
    (finding,) = [each for each in found if each is not None]
    assert "placeholder" in finding.hint
    assert "simple_value" not in finding.hint
    assert "not known" in finding.message

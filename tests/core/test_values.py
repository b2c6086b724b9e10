"""What the judge of tags, steps and values tells, and what it lets pass."""

import itertools
import math
import struct
import sys

import numpy as np
import protos
import pytest
from hypothesis import given, strategies as st
from tensorboard.compat.tensorflow_stub import dtypes
from tensorboard.util.tensor_util import make_tensor_proto

from safewriter import TagStats
from safewriter.checks.values import FROZEN_AFTER, UNSAID, ValuesJudge
from safewriter.eventfile.messages import Event, Summary as OurSummary

NAN = float("nan")
INF = float("inf")


def scalar(number=1.0, tag="loss"):
    return protos.Summary(value=[protos.Summary.Value(tag=tag, simple_value=number)])


def scalars(number, tags):
    return protos.Summary(value=[protos.Summary.Value(tag=tag, simple_value=number) for tag in tags])


def histogram(tag="weights", **fields):
    fields = {"min": -1, "max": 1, "num": 2, "sum": 0, "sum_squares": 2, **fields}
    proto = protos.HistogramProto(bucket_limit=[-1, sys.float_info.max], bucket=[1, 1], **fields)
    return protos.Summary(value=[protos.Summary.Value(tag=tag, histo=proto)])


def tensor(value, tag="loss", plugin="scalars", **options):
    proto = make_tensor_proto(value, **options)
    message = protos.Summary(value=[protos.Summary.Value(tag=tag, tensor=proto)])
    if plugin:
        message.value[0].metadata.plugin_data.plugin_name = plugin
    return message


def bfloat16(*bits):
    """Numbers by their upper 16 bits, as TensorFlow stores them: TensorBoard has no such type."""
    proto = {"dtype": 14, "half_val": bits, "tensor_shape": {"dim": [{"size": len(bits)}]}}
    message = protos.Summary(value=[{"tag": "loss", "tensor": proto}])
    message.value[0].metadata.plugin_data.plugin_name = "scalars"
    return message


def text(tag="settings"):
    return tensor(["lr=0.1"], tag, plugin="text")


def image(tag="digit/image/0"):
    return protos.Summary(value=[protos.Summary.Value(tag=tag, image=protos.Summary.Image(height=1, width=1))])


def reported(writes, judge=None):
    """``[(code, subject), …]`` of what is reported while these ``(summary, step[, given])`` are written."""
    judge = judge or ValuesJudge()
    found = []
    for summary, *steps in writes:
        step = steps[0]
        given = steps[1] if len(steps) > 1 else step
        found += judge.observe(summary, int(step or 0), given)
    return [(finding.code, finding.subject) for finding in found]


class TestSilence:
    """Programs that are right are never reported anything, live or summed up."""

    @pytest.mark.parametrize(
        "writes",
        [
            pytest.param([(scalar(), step) for step in range(100)], id="steps that rise"),
            pytest.param([(scalar(), step) for step in range(0, 1000, 7)], id="steps that jump"),
            pytest.param([(scalar(), 5)] * FROZEN_AFTER, id="ten writes at one step"),
            pytest.param([(scalar(), None)], id="a result without a step"),
            pytest.param([(scalar(tag=tag), None) for tag in "abcdef"], id="several tags once without a step"),
            pytest.param([(scalar(), 9), (scalar(tag="other"), 3)], id="a lower step of another tag"),
            pytest.param([(scalars(1.0, "abc"), step) for step in (1, 2, 2, 3)], id="a step that comes twice"),
            pytest.param([(image(f"digit/image/{n}"), 4) for n in range(30)], id="thirty images at one step"),
            pytest.param([(text(), 0)], id="a text"),
            pytest.param([(scalar(), np.int64(step)) for step in range(20)], id="steps of NumPy"),
            pytest.param([(scalar(), np.float32(step)) for step in range(20)], id="whole numbers that are floats"),
            pytest.param([(scalar(), np.array(step)) for step in range(20)], id="steps in arrays"),
            pytest.param([(scalar(), 1), (tensor(1.0), 2), (scalar(), 3)], id="a scalar in two encodings"),
            pytest.param([(tensor(1.0), 1), (tensor(1.0, plugin=""), 2)], id="metadata only once"),
            pytest.param([(tensor(1.0, plugin=""), 1), (tensor(1.0), 2)], id="metadata later"),
            pytest.param([(histogram(min=sys.float_info.max, max=-sys.float_info.max, num=0), 1)], id="no values"),
            pytest.param([(histogram(sum=1.7e308, sum_squares=1.7e308), 1)], id="numbers whose sum is infinite"),
            pytest.param([(scalar(3.4e38), 1), (scalar(-3.4e38), 2), (scalar(1e-45), 3)], id="extreme numbers"),
            pytest.param([(tensor([1.7e308] * 4, plugin="x", dtype=dtypes.float64), 1)], id="a tensor with such a sum"),
            pytest.param([(tensor(np.arange(5), plugin="x"), 1)], id="integers"),
            pytest.param([(scalar(0.0), step) for step in range(5)], id="zeros"),
            pytest.param([(protos.Summary(), 1), (protos.Summary(value=[{"tag": "x"}]), 2)], id="nothing in it"),
        ],
    )
    def test_right_programs(self, writes):
        """What a right program may do is not reported, neither at once nor at the end."""
        judge = ValuesJudge()
        assert reported(writes, judge) == []
        assert judge.sum_up() == []

    def test_the_normal_answer_is_one_shared_object(self):
        """Nothing is made for a write that is right."""
        judge = ValuesJudge()
        judge.observe(scalar(), 1, 1)
        assert judge.observe(scalar(), 2, 2) is judge.observe(scalar(), 3, 3)

    @given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=30))
    def test_finite_numbers(self, numbers):
        """No finite number is taken for another."""
        assert reported((scalar(number), step) for step, number in enumerate(numbers)) == []


class TestNotFinite:
    """SW401."""

    @pytest.mark.parametrize(
        "summary",
        [
            pytest.param(scalar(NAN), id="NaN"),
            pytest.param(scalar(-INF), id="an infinity"),
            pytest.param(histogram("loss", min=NAN), id="a histogram's minimum"),
            pytest.param(histogram("loss", sum=INF), id="a histogram's sum"),
            pytest.param(tensor(NAN), id="a tensor"),
            pytest.param(tensor([1.0, NAN], plugin="x"), id="a vector"),
            pytest.param(tensor(np.full((1, 100), INF, np.float64), plugin="x"), id="a matrix of doubles"),
            pytest.param(tensor(NAN, dtype=dtypes.float64), id="a double"),
            pytest.param(tensor(INF, dtype=dtypes.float16), id="a half"),
            pytest.param(tensor(np.array([1, NAN] * 99, np.float16)), id="many halves"),
            pytest.param(bfloat16(0x7FC0), id="a bfloat16"),
            pytest.param(bfloat16(*[0x3F80, 0xFF80] * 99), id="many bfloat16"),
            pytest.param(tensor(np.array([1, NAN], np.complex64), plugin="x"), id="complex numbers"),
        ],
    )
    def test_told_at_once(self, summary):
        """NaN and infinities are seen in every encoding of a float."""
        assert reported([(summary, 1)]) == [("SW401", "loss")]

    @pytest.mark.parametrize("numpy", [True, False])
    @pytest.mark.parametrize("size", [3, 1000, 3_000_000])
    def test_tensors_of_any_size(self, numpy, size, monkeypatch):
        """A tensor full of NaN is seen, and a sound one let pass, with NumPy loaded and without."""
        if not numpy:
            monkeypatch.delitem(sys.modules, "numpy")
        for number, expected in ((NAN, [("SW401", "loss")]), (1.0, [])):
            for dtype, code in ((1, "<f"), (2, "<d"), (19, "<e")):
                message = OurSummary()
                message.value.add(tag="loss").tensor.tensor_content = struct.pack(code, number) * (size // (dtype % 18))
                message.value[0].tensor.dtype = dtype
                assert reported([(message, 1)]) == expected

    def test_fields_of_values(self):
        """Numbers in the repeated fields of a tensor are looked at as those in its bytes."""
        message = OurSummary()
        message.value.add(tag="loss").tensor.dtype = 1
        message.value[0].tensor.float_val.extend([1.0] * 100)
        assert reported([(message, 1)]) == []
        message.value[0].tensor.float_val.append(NAN)
        assert reported([(message, 1)]) == [("SW401", "loss")]

    def test_content_that_is_cut_short(self):
        """A tensor whose bytes end within a number is judged by the whole ones."""
        message = OurSummary()
        message.value.add(tag="loss").tensor.dtype = 1
        message.value[0].tensor.tensor_content = struct.pack("<f", 1.0) + b"\xff\xff"
        assert reported([(message, 1)]) == []

    def test_once_and_summed_up(self):
        """A tag that stays NaN is reported once, and counted at the end, once."""
        judge = ValuesJudge()
        writes = [(scalar(NAN if 12 <= step < 352 else 1.0), step) for step in range(1000)]
        assert reported(writes, judge) == [("SW401", "loss")]
        (summed,) = judge.sum_up()
        assert summed.message == "Tag 'loss': 340 of 1,000 values were NaN or infinite, the first at step 12."
        assert (summed.code, summed.subject, summed.count) == ("SW401", "loss", 340)
        assert judge.sum_up() == []

    def test_once_only_is_not_summed_up(self):
        """What was reported and did not go on has nothing to be summed up."""
        judge = ValuesJudge()
        assert reported([(scalar(), 1), (scalar(NAN), 2), (scalar(), 3)], judge) == [("SW401", "loss")]
        assert judge.sum_up() == []

    def test_message(self):
        """The message says what was found, where and when."""
        (finding,) = ValuesJudge().observe(scalar(-INF), 7, 7)
        assert finding.message.startswith("Tag 'loss' holds -Inf at step 7")
        assert "check_numerics" in finding.hint
        assert dict(finding.data) == {"tag": "loss", "step": 7, "value": "-Inf"}


class TestTogether:
    """Tags that go wrong at one step are one event."""

    TAGS = tuple(f"layer_{number:02}" for number in range(50))

    def test_a_merged_summary(self):
        """Where fifty tags of one summary turn NaN, the first is reported, and the others in one finding, counted."""
        judge = ValuesJudge()
        found = [*judge.observe(scalars(1.0, self.TAGS), 1, 1), *judge.observe(scalars(NAN, self.TAGS), 2, 2)]
        assert [finding.subject for finding in found] == ["layer_00", "step 2"]
        assert found[1].message.startswith("49 more tags were NaN or infinite at step 2, as 'layer_00' did: 'layer_01'")
        assert (found[1].count, found[1].data["count"], len(found[1].data["tags"])) == (49, 49, 49)

    def test_one_add_each(self):
        """Where each tag has a summary of its own, the others are reported when the next step begins."""
        judge = ValuesJudge()
        assert reported([(scalar(NAN, tag), 2) for tag in self.TAGS], judge) == [("SW401", "layer_00")]
        assert reported([(scalar(1.0, "layer_00"), 3)], judge) == [("SW401", "step 2")]

    def test_one_add_each_at_the_very_end(self):
        """Where no next step comes, they are reported when the writer is closed."""
        judge = ValuesJudge()
        reported([(scalar(NAN, tag), 2) for tag in self.TAGS], judge)
        (finding,) = judge.sum_up()
        assert (finding.subject, finding.count) == ("step 2", 49)

    def test_two_tags(self):
        """Two tags are two findings."""
        assert reported([(scalars(NAN, "ab"), 2)]) == [("SW401", "a"), ("SW401", "b")]

    def test_no_step_at_all(self):
        """A merged summary without a step is reported for its first tag and once for all others."""
        writes = [(scalars(1.0, self.TAGS), None)] * 5
        assert reported(writes) == [("SW402", "layer_00"), ("SW402", "step 0")]

    def test_no_step_one_add_each(self):
        """Without a step no next step ever comes; the next round tells instead."""
        writes = [(scalar(1.0, tag), None) for _ in range(3) for tag in self.TAGS]
        assert reported(writes) == [("SW402", "layer_00"), ("SW402", "step 0")]

    def test_at_different_steps(self):
        """Tags that go wrong one after the other are reported one by one."""
        writes = [(scalar(NAN, tag), step) for step, tag in enumerate(self.TAGS)]
        assert reported(writes) == [("SW401", tag) for tag in self.TAGS]

    def test_summed_up_together(self):
        """What began at one step is summed up in one finding too."""
        judge = ValuesJudge()
        reported([(scalars(NAN, self.TAGS), step) for step in range(5)], judge)
        (finding,) = judge.sum_up()
        assert finding.message.startswith("50 tags were NaN or infinite, 250 times in 250 writes, from step 0 on:")

    @given(st.integers(1, 60), st.sampled_from([NAN, INF]), st.booleans())
    def test_never_more_than_one_further(self, count, number, merged):
        """However many tags go wrong at one step, at most one further finding is reported, and no tag is left out."""
        tags = [f"t{index}" for index in range(count)]
        judge = ValuesJudge()
        found = []
        for summary in [scalars(number, tags)] if merged else [scalar(number, tag) for tag in tags]:
            found += judge.observe(summary, 3, 3)
        found += judge.sum_up()
        assert len(found) == min(count, 2)
        assert sum(finding.count for finding in found) == count


class TestSteps:
    """SW402, SW403, SW404, SW406."""

    def test_no_step(self):
        """The second write of a tag without a step is reported."""
        assert reported([(scalar(), None)] * 3) == [("SW402", "loss")]

    def test_no_step_after_steps(self):
        """A write without a step after writes with one lands on step 0, and is reported as that."""
        assert reported([(scalar(), 1), (scalar(), 2), (scalar(), None)]) == [("SW402", "loss")]

    def test_backwards(self):
        """A step that goes down is reported once per tag, and counted."""
        judge = ValuesJudge()
        assert reported([(scalar(), step) for step in (1, 5, 3, 4, 2)], judge) == [("SW403", "loss")]
        (summed,) = judge.sum_up()
        assert summed.message == "Tag 'loss': its step went down 2 times in 5 writes, the first at step 3."

    def test_backwards_says_from_where(self):
        """The message holds both steps."""
        judge = ValuesJudge()
        judge.observe(scalar(), 500, 500)
        (finding,) = judge.observe(scalar(), 3, 3)
        assert "from step 500 to step 3" in finding.message
        assert "resume_step" in finding.hint

    def test_frozen(self):
        """The eleventh write at one step is reported, also at step 0 where the user gave it."""
        assert reported([(scalar(), 7)] * 11) == [("SW404", "loss")]
        assert reported([(scalar(), 0)] * 30) == [("SW404", "loss")]

    def test_frozen_twice(self):
        """A step that moves on begins a new count."""
        assert reported([(scalar(), step // 10) for step in range(100)]) == []

    @pytest.mark.parametrize("step", [2.9, "7", True, np.True_, -1, -0.5, np.float32(0.25)])
    def test_not_whole(self, step):
        """A step that is cut, converted or negative is reported."""
        assert reported([(scalar(), step)]) == [("SW406", "loss")]

    def test_not_whole_says_what_is_stored(self):
        """The message holds what was given and what is stored."""
        (finding,) = ValuesJudge().observe(scalar(), 2, 2.9)
        assert finding.message == (
            "Tag 'loss' is written at step 2.9, which is not a whole number from 0 on and is stored as 2."
        )

    def test_a_type_of_the_users(self):
        """A step whose type can't be compared is taken as it is."""

        class Step:
            def __int__(self):
                return 3

            def __eq__(self, other):
                raise RuntimeError

        assert reported([(scalar(), Step())]) == []


class TestKinds:
    """SW405."""

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (scalar(tag="x"), histogram("x")),
            (histogram("x"), scalar(tag="x")),
            (scalar(0.0, tag="x"), image("x")),
            (text("x"), scalar(tag="x")),
            (tensor(1.0, "x"), tensor(["a"], "x", plugin="text")),
            (scalar(tag="x"), tensor([1.0], "x", plugin="histograms")),
        ],
    )
    def test_reported(self, first, second):
        """One tag used for two kinds is reported."""
        assert reported([(first, 1), (second, 2)]) == [("SW405", "x")]

    def test_names_both(self):
        """The message names both kinds."""
        judge = ValuesJudge()
        judge.observe(scalar(tag="x"), 1, 1)
        (finding,) = judge.observe(histogram("x"), 2, 2)
        assert "was written as scalar and is written as histogram at step 2" in finding.message
        assert finding.data["kinds"] == ["scalar", "histogram"]


class TestAtRest:
    """The same judge, where nobody knows what the user passed."""

    def at_rest(self, steps):
        judge = ValuesJudge()
        for step in steps:
            judge.observe(scalar(), step)
        return [(finding.code, finding.count) for finding in judge.sum_up(everything=True)]

    def test_nothing_but_step_0(self):
        """Many values that all lie on step 0 were written without a step."""
        assert self.at_rest([0] * 30) == [("SW402", 29)]

    def test_a_frozen_step(self):
        """Many values on another step, or on step 0 among others, are a frozen step."""
        assert self.at_rest([7] * 30) == [("SW404", 20)]
        assert self.at_rest([0] * 30 + [1]) == [("SW404", 20)]

    def test_one_sum_for_what_was_reported(self):
        """Each tag is in one finding only, with all that was ever wrong."""
        assert self.at_rest([5, 4, 3]) == [("SW403", 2)]

    def test_a_restart(self):
        """A session-log START means that what follows replaces what lies beyond it."""
        judge = ValuesJudge()
        for step in (*range(10), None, *range(5, 12)):
            if step is None:
                judge.restart(5)
            else:
                assert judge.observe(scalar(), step) == ()
        assert judge.tags["loss"].highest == 11

    def test_before_a_restart(self):
        """Below the step of the START, a step still goes back."""
        judge = ValuesJudge()
        judge.observe(scalar(), 9)
        judge.restart(5)
        assert [finding.code for finding in judge.observe(scalar(), 4)] == ["SW403"]


def test_stats():
    """What is kept of each tag is what is public of it."""
    judge = ValuesJudge()
    reported([(scalar(), 3), (scalar(NAN), 8), (histogram(), 9)], judge)
    assert judge.stats() == {"loss": TagStats(2, 3, 8, 1), "weights": TagStats(1, 9, 9, 0)}
    assert judge.stats()["loss"].as_dict() == {"count": 2, "first_step": 3, "last_step": 8, "not_finite": 1}
    assert len(judge.tags) == 2


def test_our_messages_and_tensorflows():
    """It makes no difference whose class the message is of."""
    for summary in (scalar(NAN), histogram(sum=INF), tensor([NAN]), image(), text()):
        ours = OurSummary.FromString(summary.SerializeToString())
        assert reported([(ours, 1)]) == reported([(summary, 1)])


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(-2, 6),
            st.sampled_from([0.0, 1.5, NAN, INF]),
            st.sampled_from(["scalar", "histogram"]),
        ),
        max_size=40,
    )
)
def test_counts_are_what_a_slow_reading_gives(writes):
    """The counts of the judge equal those of a plain reading of the same writes."""
    judge = ValuesJudge()
    plain = {}
    for tag, step, number, kind in writes:
        judge.observe(scalar(number, tag) if kind == "scalar" else histogram(tag, sum=number), step, UNSAID)
        plain.setdefault(tag, []).append((step, number))
    stats = judge.stats()
    for tag, points in plain.items():
        steps = [step for step, _ in points]
        bad = sum(not math.isfinite(number) for _, number in points)
        assert stats[tag] == TagStats(len(points), steps[0], steps[-1], bad)
        assert (judge.tags[tag].low, judge.tags[tag].highest) == (min(steps), max(steps))
    backwards = {
        tag: sum(after[0] < before[0] for before, after in itertools.pairwise(points)) for tag, points in plain.items()
    }
    counted = {finding.subject: finding.count for finding in judge.sum_up(everything=True) if finding.code == "SW403"}
    assert counted == {tag: count for tag, count in backwards.items() if count}


def test_memory_of_a_tag():
    """A tag costs less than 500 bytes."""
    import tracemalloc

    summaries = [scalar(1.0, f"layer_{number}/weights") for number in range(2000)]
    judge = ValuesJudge()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for step in (1000, 2000, 3000):
        for summary in summaries:
            judge.observe(summary, step, step)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / len(summaries) < 500


def test_an_event_is_no_summary_with_values():
    """Other messages of ours have no values, and nothing is reported."""
    assert ValuesJudge().observe(Event().summary, 0, 0) == ()

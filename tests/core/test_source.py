"""The names that the user's source gives to its merges."""

import pytest

from safewriter.facts.source import merge_names

LINES = {
    "merged = tf.summary.merge_all()": ("merged",),
    "summaries = tf.compat.v1.summary.merge_all('summaries')": ("summaries",),
    "self.merged = merge_all()": ("self.merged",),
    "merges['test'] = tf.summary.merge([a])": ("merges['test']",),
    "train: object = tf.summary.merge([a])": ("train",),
    "print(merged := tf.summary.merge_all())": ("merged",),
    "a = 1; summaries = tf.summary.merge_all(); b = 2": ("summaries",),
    "train = tf.summary.merge([a]); test = tf.summary.merge([b])": ("train", "test"),
    "train, test = tf.summary.merge([a]), tf.summary.merge([b])": ("train", "test"),
    "one = two = tf.summary.merge_all()": ("two",),
    "first, *others = tf.summary.merge([a]), tf.summary.merge([b])": ("first", ""),
    "return tf.summary.merge_all()": ("",),
    "both = tf.summary.merge([tf.summary.merge([a]), b])": ("", "both"),
    "x = tf.raw_ops.MergeSummary(inputs=[a])": ("x",),
    "a = tf.summary.scalar('a', 1.0)": (),
    "a_very_long_name_that_no_hint_should_repeat_at_all = tf.summary.merge_all()": ("",),
}


@pytest.mark.parametrize(("line", "names"), LINES.items())
def test_names_of_a_line(tmp_path, line, names):
    """Each merge of a line has the name that it is assigned to, in the order they run; none where there is none."""
    path = tmp_path / "train.py"
    path.write_text(f"import x\ndef build(self):\n    {line}\n    return None\n")
    assert merge_names(str(path), 3) == names
    assert merge_names(str(path), 4) == ()


def test_call_over_several_lines(tmp_path):
    """A call is found from each of its lines: which of them TensorFlow names differs by the version of Python."""
    path = tmp_path / "train.py"
    path.write_text("summaries = (\n    tf.summary\n    .merge([\n        a,\n    ])\n)\n")
    assert {merge_names(str(path), line) for line in (2, 3, 4, 5)} == {("summaries",)}


@pytest.mark.parametrize("text", ["%matplotlib inline\nmerged = merge_all()\n", "merged = merge_all(\n", ""])
def test_no_source(tmp_path, text):
    """Where the source is missing or is not plain Python, no name is known."""
    path = tmp_path / "train.py"
    path.write_text(text)
    assert merge_names(str(path), 2) == merge_names(str(tmp_path / "other.py"), 1) == ()

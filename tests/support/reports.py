"""From an empty TensorBoard to the line to change, for ten public reports: ``python tests/support/reports.py``.

Each report is a program like the one that was reported, with TensorFlow's own writer, and the edit that fixes it. The
way of its author is gone for real: ``safewriter run`` is asked, the line that it names is changed, it is asked again,
and TensorFlow's reader counts the points.
"""

import dataclasses
import glob
import json
import os
import re
import sys
import tempfile

import shown

from safewriter.findings import page

_V1 = """\
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
loss = tf.get_variable("value", initializer=1.0)
train = loss.assign(loss * 0.9)
"""
_SESSION = """\
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
"""
_BY_HAND = """\
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


def loss(step):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.9**step)])


"""


@dataclasses.dataclass(frozen=True)
class Report:
    """A report, and how its author would have got on.

    Attributes:
        issue: ``owner/repository#number``.
        saw: What its author saw in TensorBoard.
        code: The code that names the cause.
        program: The program.
        line: The line to change; where something has to be added, the one that it belongs to.
        fixed: What the line becomes.
        other: More edits, where the fix needs them: ``(old, new)``.
        before: Whether an earlier run was there.
    """

    issue: str
    saw: str
    code: str
    program: str
    line: str
    fixed: str
    other: tuple[tuple[str, str], ...] = ()
    before: bool = False

    @property
    def number(self):
        """The number of the line to change."""
        return 1 + self.program.splitlines().index(self.line)

    @property
    def fixed_program(self):
        text = self.program
        for old, new in ((self.line, self.fixed), *self.other):
            assert old in text
            text = text.replace(old, new)
        return text


REPORTS = (
    Report(
        "tensorflow/tensorflow#2353",
        "the graph, and “no scalar data was found”",
        "SW301",
        _V1
        + 'tf.summary.scalar("loss", loss)\n'
        + _SESSION
        + """\
    with tf.summary.FileWriter("logs", sess.graph) as writer:
        for step in range(20):
            sess.run(train)
""",
        'tf.summary.scalar("loss", loss)',
        'tf.summary.scalar("loss", loss)\nmerged = tf.summary.merge_all()',
        (("            sess.run(train)", "            writer.add_summary(sess.run([merged, train])[0], step)"),),
    ),
    Report(
        "luckycallor/InsightFace-tensorflow#17",
        "no scalars, though they are merged",
        "SW302",
        _V1
        + 'tf.summary.scalar("loss", loss)\nmerged = tf.summary.merge_all()\n'
        + _SESSION
        + """\
    with tf.summary.FileWriter("logs", sess.graph) as writer:
        for step in range(20):
            summary, _ = sess.run([merged, train])
""",
        "merged = tf.summary.merge_all()",
        "merged = tf.summary.merge_all()",
        (
            (
                "sess.run([merged, train])\n",
                "sess.run([merged, train])\n            writer.add_summary(summary, step)\n",
            ),
        ),
    ),
    Report(
        "tensorflow/models#764",
        "nothing: the program stops inside protobuf",
        "SW305",
        _V1
        + 'merged = tf.summary.scalar("loss", loss)\n'
        + _SESSION
        + """\
    with tf.summary.FileWriter("logs") as writer:
        for step in range(20):
            writer.add_summary(sess.run([merged]), step)
""",
        "            writer.add_summary(sess.run([merged]), step)",
        "            writer.add_summary(sess.run(merged), step)",
    ),
    Report(
        "tensorflow/tensorflow#1671",
        "no event listed, or some missing",
        "SW501",
        _BY_HAND
        + """\
writer = tf.summary.FileWriter("logs")
for step in range(8):
    writer.add_summary(loss(step), step)
""",
        'writer = tf.summary.FileWriter("logs")',
        'writer = tf.summary.FileWriter("logs")',
        (("    writer.add_summary(loss(step), step)\n", "    writer.add_summary(loss(step), step)\nwriter.close()\n"),),
    ),
    Report(
        "tensorflow/tensorboard#289",
        "“no dashboards are active”",
        "SW104",
        _BY_HAND
        + """\
with tf.summary.FileWriter("~/logs") as writer:
    for step in range(20):
        writer.add_summary(loss(step), step)
""",
        'with tf.summary.FileWriter("~/logs") as writer:',
        'import os\n\nwith tf.summary.FileWriter(os.path.expanduser("~/logs")) as writer:',
    ),
    Report(
        "tensorflow/tensorflow#9512",
        "one curve for two writers, or half of it",
        "SW204",
        _BY_HAND
        + """\
train = tf.summary.FileWriter("logs")
test = tf.summary.FileWriter("logs")
for step in range(20):
    train.add_summary(loss(step), step)
    test.add_summary(loss(step), step)
train.close()
test.close()
""",
        'test = tf.summary.FileWriter("logs")',
        'test = tf.summary.FileWriter("logs/test")',
    ),
    Report(
        "EdjeElectronics/TensorFlow-Object-Detection-API-Tutorial-Train-Multiple-Objects-Windows-10#203",
        "after a restart, most of the first run is gone",
        "SW107",
        _BY_HAND
        + """\
with tf.summary.FileWriter("logs") as writer:
    for step in range(20):
        writer.add_summary(loss(step), step)
""",
        'with tf.summary.FileWriter("logs") as writer:',
        'with tf.summary.FileWriter("logs/second") as writer:',
        before=True,
    ),
    Report(
        "sogou/SogouMRCToolkit#24",
        "points that lie on each other, on step 0",
        "SW404",
        _BY_HAND
        + """\
global_step = 0
with tf.summary.FileWriter("logs") as writer:
    for step in range(20):
        writer.add_summary(loss(step), global_step)
""",
        "        writer.add_summary(loss(step), global_step)",
        "        writer.add_summary(loss(step), global_step)\n        global_step += 1",
    ),
    Report(
        "tensorflow/tensorflow#34481",
        "one dot",
        "SW308",
        """\
import tensorflow as tf

writer = tf.summary.create_file_writer("logs")
step = 0


@tf.function
def train(loss):
    tf.summary.scalar("loss", loss, step=step)


with writer.as_default():
    for step in range(20):
        train(tf.constant(0.9**step))
writer.close()
""",
        '    tf.summary.scalar("loss", loss, step=step)',
        '    tf.summary.scalar("loss", loss, step=at)',
        (
            ("def train(loss):", "def train(loss, at):"),
            ("train(tf.constant(0.9**step))", "train(tf.constant(0.9**step), tf.constant(step, tf.int64))"),
        ),
    ),
    Report(
        "tensorflow/tensorflow#38772",
        "a run without a chart",
        "SW307",
        """\
import tensorflow as tf

writer = tf.summary.create_file_writer("logs")


def record(step, loss):
    tf.summary.scalar("loss", loss, step=step)


@tf.function
def train(step):
    tf.py_function(record, [step, 0.9 ** tf.cast(step, tf.float32)], [])


with writer.as_default():
    for step in range(20):
        train(tf.constant(step, tf.int64))
writer.close()
""",
        '    tf.summary.scalar("loss", loss, step=step)',
        '    with writer.as_default():\n        tf.summary.scalar("loss", loss, step=step)',
    ),
)

_COUNT = """
import glob, os, sys
import tensorflow as tf
points = set()
for directory, _, names in os.walk("."):
    for name in sorted(names):
        if "tfevents" in name:
            try:
                for event in tf.compat.v1.train.summary_iterator(os.path.join(directory, name)):
                    points.update((directory, value.tag, event.step) for value in event.summary.value)
            except tf.errors.DataLossError:
                pass
print("points", len(points))
"""


@dataclasses.dataclass(frozen=True)
class Way:
    """What a report's author went through.

    Attributes:
        commands: How many were typed until the line to change was on the screen.
        codes: What was reported.
        line: Whether the line was named.
        left: What is reported after the change: nothing, where the report's cause was all.
        points: How many points, one on each step of a run, TensorFlow's reader finds after it.
    """

    commands: int
    codes: list[str]
    line: bool
    left: list[str]
    points: int


def _text(name, content, directory):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(content)


def _asked(directory):
    """``safewriter run train.py``: the codes, and the whole output."""
    _, output = shown.run("safewriter run --report report.json train.py", directory)
    with open(os.path.join(directory, "report.json"), encoding="utf-8") as file:
        content = json.load(file)
    return [finding["code"] for process in content["processes"] for finding in process["findings"]], output


def walk(report):
    """Goes the way of a report's author, and gives what came of it."""
    with tempfile.TemporaryDirectory() as directory:
        _text("train.py", report.program, directory)
        if report.before:
            shown.run([sys.executable, "train.py"], directory)
        codes, output = _asked(directory)
        line = re.search(rf"train\.py:{report.number}\b", output) is not None
        for path in glob.glob(os.path.join(directory, "**", "*tfevents*"), recursive=True):
            if not report.before:
                os.unlink(path)
        _text("train.py", report.fixed_program, directory)
        left, _ = _asked(directory)
        _, counted = shown.run([sys.executable, "-c", _COUNT], directory)
        return Way(1, codes, line, left, int(counted.split()[-1]))


def clicks(code):
    """How many clicks the page of a code is from the start page, over the links of the pages as they are."""
    seen, border = set(), ["docs/index.md"]
    for count in range(len(page.pages())):
        if f"docs/codes/{code}.md" in border:
            return count
        seen.update(border)
        links = (
            os.path.normpath(os.path.join(os.path.dirname(name), link))
            for name in border
            for link in re.findall(r"\]\(([^):#]+\.md)", shown.read(name))
        )
        border = [link for link in dict.fromkeys(links) if link not in seen]
    raise AssertionError(f"no way leads to {code}")


def table():
    """The ways as Markdown; a report whose way does not end is an error."""
    rows = [
        "| report | what was seen | typed | what is named | clicks from *Start here* | points after the change |",
        "|---|---|---|---|---|---|",
    ]
    for report in REPORTS:
        way = walk(report)
        assert (report.code in way.codes, way.line, way.left) == (True, True, []), (report, way)
        rows.append(
            f"| {page.issue(report.issue)} | {report.saw} | {way.commands} command "
            f"| [{report.code}](codes/{report.code}.md), line {report.number} | {clicks(report.code)} | {way.points} |"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")

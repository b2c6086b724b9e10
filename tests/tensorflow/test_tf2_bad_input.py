"""What a wrong argument raises in TF2: our words for a directory, TensorFlow's for a step or a value."""

import textwrap

import pytest

HEADS = {
    "stock": "import tensorflow as tf\ncreate = tf.summary.create_file_writer\n",
    "ours": "import tensorflow as tf\nimport safewriter\nfrom safewriter.keras import TensorBoard\n"
    "create = safewriter.create_file_writer\n",
    "installed": "import safewriter\nsafewriter.install()\nimport tensorflow as tf\n"
    "create = tf.summary.create_file_writer\nTensorBoard = tf.keras.callbacks.TensorBoard\n",
}
FIT = """
import numpy as np
def fit(logs, **options):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=[TensorBoard(logs, **options)])
"""

#: A directory that can't be: its code, the built-in error that the exception also is, and a part of its text.
DIRECTORIES = {
    "None": ("None", "SW101", "TypeError", "None"),
    "empty": ("''", "SW101", "ValueError", "empty"),
    "a NUL": ("'a\\0b'", "SW101", "ValueError", "NUL"),
    "a number": ("3", "SW101", "TypeError", "3"),
    "a file": ("'file'", "SW102", "NotADirectoryError", "file"),
    "below a file": ("'file/logs'", "SW102", "NotADirectoryError", "file"),
    "too long": ("'x' * 300", "SW103", "OSError", "name too long"),
    "no such scheme": ("'nowhere://logs'", "SW105", "OSError", "nowhere://"),
}


def raised(outcome):
    """The last line that a program printed, and the lines of its own that stand in the traceback."""
    own = [text.split("line ")[1].split(",")[0] for text in outcome.stderr.splitlines() if '/program.py", line' in text]
    return outcome.stderr.splitlines()[-1], own


@pytest.mark.parametrize("how", ["ours", "installed"])
def test_a_wrong_directory_raises_at_construction(how, run_forked, tmp_path):
    """Each raises where the writer is created, with its code, as the built-in error that fits, and leaves nothing.

    Under ``install()`` TensorFlow's own function refuses None and what is no text before anything is constructed.
    """
    rows = {name: row for name, row in DIRECTORIES.items() if how == "ours" or name not in ("None", "a number")}
    (tmp_path / "file").write_text("")
    tries = "".join(
        f"""
try:
    create({logdir})
except {error} as error:
    print({name!r}, error.finding.code, {part!r} in str(error), error.finding.hint != "")
"""
        for name, (logdir, _, error, part) in rows.items()
    )
    outcome = run_forked(HEADS[how] + tries, cwd=tmp_path)
    assert outcome.stdout.splitlines() == [f"{name} {row[1]} True True" for name, row in rows.items()], outcome.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "program.py"]


@pytest.mark.parametrize("how", ["ours", "installed"])
def test_a_wrong_directory_of_the_callback_raises_when_fit_begins(how, run_forked, tmp_path):
    """What can't be written to is an error of ours, at the user's line, before anything is trained."""
    (tmp_path / "file").write_text("")
    for logdir, code in (("'file/logs'", "SW102"), ("'x' * 300", "SW103"), ("'nowhere://logs'", "SW105")):
        outcome = run_forked(HEADS[how] + FIT + f"fit({logdir}, write_graph=False)", cwd=tmp_path)
        assert outcome.exit_code == 1
        assert outcome.codes == [code], outcome.stderr
        assert outcome.reported[0].file == "program.py"


#: What TensorFlow refuses, within a block of a writer.
REFUSED = {
    "step that is text": "tf.summary.scalar('x', 1.0, step='a')",
    "step that is a fraction": "tf.summary.scalar('x', 1.0, step=0.5)",
    "no step": "tf.summary.scalar('x', 1.0)",
    "scalar of two numbers": "tf.summary.scalar('x', [1.0, 2.0], step=1)",
    "scalar that is text": "tf.summary.scalar('x', 'a', step=1)",
    "image of two dimensions": "tf.summary.image('x', [[1.0]], step=1)",
    "raw text that is no summary": "tf.summary.experimental.write_raw_pb(b'\\xff', step=1)",
    "condition that is text": "with tf.summary.record_if('never'): tf.summary.scalar('x', 1.0, step=1)",
    "trace that never began": "tf.summary.trace_export('x', step=1)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_raised_as_it_raises_it(name, run_forked, tmp_path):
    """The error, its text and the user's line are TensorFlow's, with our writer and under ``install()`` alike."""
    found = []
    program = textwrap.dedent(f"""
    writer = create("logs")
    with writer.as_default():
        {REFUSED[name]}
    """)
    for how, head in HEADS.items():
        (tmp_path / how).mkdir()
        outcome = run_forked(head + program, cwd=tmp_path / how)
        last, own = raised(outcome)
        offset = head.count("\n")
        found.append((outcome.exit_code, last, [int(line) - offset for line in own]))
        assert outcome.codes == [], outcome.stderr
    stock, ours, installed = found
    assert stock[0] == 1
    assert ours == installed == stock
    assert 4 in stock[2]


def test_a_wrong_option_is_refused(run_forked, tmp_path):
    """An unknown code and a step to resume from that is no step raise ValueError before anything is created."""
    for call in ("create('logs', ignore='SW999')", "create('logs', resume_step=-1)", "create('logs', resume_step='a')"):
        outcome = run_forked(HEADS["ours"] + call, cwd=tmp_path)
        assert outcome.exit_code == 1
        assert "Error: " in outcome.stderr.splitlines()[-1], outcome.stderr
        assert not (tmp_path / "logs").exists()

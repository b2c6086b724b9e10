"""How a program ends decides whether its summaries are judged: not after a crash or a failing status."""

import pytest

START = """
import sys
import tensorflow.compat.v1 as tf
from safewriter import SafeFileWriter as FileWriter
tf.disable_eager_execution()
x = tf.placeholder(tf.float32, [2])
tf.summary.scalar("loss", tf.reduce_sum(x))
merged = tf.summary.merge_all()
"""

BROKEN_OFF = {
    "wrong shape in a block": """
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
    writer.add_summary(sess.run(merged, {x: [1.0, 2.0, 3.0]}), 0)
""",
    "not fed": """
writer = FileWriter("logs", tf.get_default_graph())
with tf.Session() as sess:
    writer.add_summary(sess.run(merged), 0)
""",
    "a name that is not there, while the model is built": """
writer = FileWriter("logs", tf.get_default_graph())
tf.summary.scalar("accuracy", acuracy)
""",
    "keyboard interrupt": """
writer = FileWriter("logs", tf.get_default_graph())
raise KeyboardInterrupt
""",
    "keyboard interrupt in a block": """
with FileWriter("logs", tf.get_default_graph()) as writer:
    raise KeyboardInterrupt
""",
    "a message": """
writer = FileWriter("logs", tf.get_default_graph())
sys.exit("no data")
""",
    "a message in a block": """
with FileWriter("logs", tf.get_default_graph()) as writer:
    sys.exit("no data")
""",
    "status 1": """
writer = FileWriter("logs", tf.get_default_graph())
raise SystemExit(1)
""",
    "status 1 in a block": """
with FileWriter("logs", tf.get_default_graph()) as writer:
    raise SystemExit(1)
""",
    "a status that is computed": """
def main():
    FileWriter("logs", tf.get_default_graph())
    return 3
raise SystemExit(main())
""",
    "caught in main": """
def main():
    with FileWriter("logs", tf.get_default_graph()) as writer:
        raise OSError("no data")
try:
    main()
except OSError as error:
    print(error)
    sys.exit(1)
""",
    "images that were due later": """
tf.summary.scalar("images", tf.reduce_sum(x), collections=["images"])
images = tf.summary.merge_all("images")
writer = FileWriter("logs", tf.get_default_graph())
with tf.Session() as sess:
    for step in range(20):
        writer.add_summary(sess.run(merged, {x: [1.0, 1 / (7 - step)]}), step)
        if step == 10:
            writer.add_summary(sess.run(images, {x: [1.0, 2.0]}), step)
""",
    "not a summary": """
writer = FileWriter("logs", tf.get_default_graph())
writer.add_summary(merged, 0)
""",
    "exit by its own name": """
writer = FileWriter("logs", tf.get_default_graph())
exit(2)
""",
    "a writer of a thread": """
import threading
thread = threading.Thread(target=lambda: FileWriter("logs", tf.Graph()).close())
thread.start()
thread.join()
writer = FileWriter("logs/other", tf.get_default_graph())
sys.exit("no data")
""",
}

ENDED = {
    "at the end of the file": """
writer = FileWriter("logs", tf.get_default_graph())
writer.close()
""",
    "status 0": """
FileWriter("logs", tf.get_default_graph()).close()
sys.exit(0)
""",
    "status None, computed": """
def main():
    FileWriter("logs", tf.get_default_graph()).close()
sys.exit(main())
""",
    "raise SystemExit(0)": """
writer = FileWriter("logs", tf.get_default_graph())
writer.close()
raise SystemExit(0)
""",
    "tf.app.run": """
def main(_):
    FileWriter("logs", tf.get_default_graph()).close()
tf.app.run(main)
""",
    "an exit that was caught before": """
writer = FileWriter("logs", tf.get_default_graph())
try:
    sys.exit("usage")
except SystemExit:
    pass
writer.close()
""",
    "an exception that was handled": """
writer = FileWriter("logs", tf.get_default_graph())
try:
    1 / 0
except ZeroDivisionError:
    pass
writer.close()
""",
}


@pytest.mark.parametrize("end", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_broken_off(run_program, end):
    """A run that was broken off gets no verdict on its summaries: they are a consequence, not the trouble."""
    outcome = run_program(START + end)
    assert outcome.exit_code != 0
    assert not [code for code in outcome.codes if code.startswith("SW30") and code != "SW305"], outcome.stderr


@pytest.mark.parametrize("end", ENDED.values(), ids=ENDED)
def test_ended(run_program, end):
    """A normal end, however it is written, is judged."""
    outcome = run_program(START + end)
    assert outcome.exit_code == 0, outcome.stderr
    assert [code for code in outcome.codes if code.startswith("SW30")] == ["SW302"], outcome.stderr


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(("last", "expected"), [("pass", ["SW302"]), ("sys.exit(1)", []), ("1 / 0", [])])
def test_worker(run_program, tmp_path, method, last, expected):
    """The end of a worker process of multiprocessing counts for its writers, not that of the program."""
    outcome = run_program(f"""
import multiprocessing, sys
def work():
    import tensorflow.compat.v1 as tf
    from safewriter import SafeFileWriter
    tf.disable_eager_execution()
    with tf.Graph().as_default() as graph:
        tf.summary.scalar("loss", 1.0)
        tf.summary.merge_all()
        SafeFileWriter("logs", graph).close()
    {last}
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    worker = context.Process(target=work)
    worker.start()
    worker.join()
""")
    assert [code for code in outcome.codes if code.startswith("SW30")] == expected, outcome.stderr

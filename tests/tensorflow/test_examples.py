"""Each example runs, prints what the README shows, and leaves the files that it says."""

import os

import pytest
import readme

#: Counts the points that TensorFlow's reader finds before it gives up on a file.
COUNT = """
import glob
points = 0
for path in glob.glob("logs/events*"):
    try:
        for event in tf.train.summary_iterator(path):
            points += len(event.summary.value)
    except tf.errors.DataLossError:
        pass
print("points", points)
"""


TRAINING = "examples/train_digits.py"


@pytest.mark.parametrize("name", sorted(set(readme.shown_outputs()) - {TRAINING}))
def test_an_example_prints_what_the_readme_shows(name):
    """What the README shows of an example is what it prints."""
    if name == "examples/wrong_logdir.py" and os.name != "posix":
        pytest.skip("Windows has no permission bits of directories")
    assert readme.loosened(readme.output_of(name)) == readme.loosened(readme.shown_outputs()[name])


def test_training_prints_what_the_readme_shows_and_tensorboard_shows_each_run(tmp_path):
    """The main example prints what the README shows; a second run gets its own directory, TensorBoard reads both."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    for run in ("digits-1", "digits-2"):
        code, output = readme.run_example(TRAINING, tmp_path)
        assert code == 0, output
        shown = readme.shown_outputs()[TRAINING].replace("digits-1", run)
        assert readme.loosened(readme.normalised(output, tmp_path)) == readme.loosened(shown)
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "logs")).Reload()
    expected = {os.path.join(f"digits-{n}", part) for n in (1, 2) for part in ("train", "test")}
    assert set(runs.Runs()) == expected
    for run in expected:
        steps = [point.step for point in runs.Scalars(run, "loss")]
        assert steps == list(range(0, 300, 20 if run.endswith("test") else 1))
        assert runs.Histograms(run, "first_layer")
        assert runs.Images(run, "digits/image/0")


def test_two_writers_keep_all_points_where_the_stock_class_does_not(tmp_path, run_forked):
    """The README's program leaves 200 points; with TensorFlow's class instead, at most 100."""
    text = readme.source("examples/two_writers.py")
    stock = text.replace("from safewriter import SafeFileWriter as FileWriter", "FileWriter = tf.summary.FileWriter")
    assert stock != text
    points = {}
    for kind, program in (("ours", text), ("stock", stock)):
        directory = tmp_path / kind
        directory.mkdir()
        outcome = run_forked(program + COUNT, cwd=directory)
        assert outcome.exit_code == 0, outcome.stderr
        points[kind] = int(outcome.stdout.split()[-1])
    assert points["ours"] == 200
    assert points["stock"] <= 100

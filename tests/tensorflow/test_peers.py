"""On sound files our counts are those of every other reader; of damaged ones the docs say who sees what."""

import json
import os
import subprocess
import sys

import peers
import pytest

from safewriter import audit_logdir

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "audit.md")


def ask(*arguments):
    """What ``peers.py`` prints; TensorFlow, Keras, pandas and torch stay out of this process."""
    program = os.path.join(ROOT, "tests", "support", "peers.py")
    done = subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """``(directory, names of the writers)``: a run of each writer that is installed."""
    directory = tmp_path_factory.mktemp("written")
    return directory, json.loads(ask("write", str(directory)))


@pytest.fixture(scope="module")
def report(written):
    return audit_logdir(written[0])


@pytest.fixture(scope="module")
def answers(report):
    """What the readers say of these files, and the table of damaged ones."""
    return json.loads(ask("read", *(facts.path for facts in report.files)))


@pytest.fixture(scope="module")
def reported(answers):
    """``{path: {reader: what it says}}``."""
    return answers["files"]


def counts(facts, reader):
    """Values by tag; a tag of the hparams plug-in has none, only a description, and tbparse shortens those of texts."""
    ending = "/text_summary" if reader == "tbparse" else ""
    return {tag.removesuffix(ending): here.count for tag, here in facts.tags.items() if here.kind != "hparams"}


@pytest.mark.parametrize("writer", [writer.__name__ for writer in peers.WRITERS])
class TestSound:
    @pytest.fixture
    def files(self, written, report, writer):
        """The facts of the files of one writer."""
        directory, names = written
        if writer not in names:
            pytest.skip(f"{writer} is not installed")
        files = [facts for facts in report.files if facts.path.startswith(str(directory / writer))]
        assert files
        return files

    def test_nothing_is_wrong(self, files, report):
        """What a writer writes as it should is not reported."""
        paths = {os.path.dirname(facts.path) for facts in files} | {facts.path for facts in files}
        assert [finding for finding in report.findings if finding.path in paths] == []

    def test_tensorflow(self, files, reported):
        """The events, and the values of each tag, are those that TensorFlow's reader gives."""
        for facts in files:
            theirs = reported[facts.path]["tensorflow"]
            assert theirs["error"] is None
            assert facts.events == theirs["events"]
            assert {tag: here.count for tag, here in facts.tags.items()} == theirs["values"]

    @pytest.mark.parametrize("reader", ["tensorboard", "tbparse"])
    def test_values(self, files, reported, reader):
        """The values of each tag are those that TensorBoard, without sampling, and tbparse show."""
        for facts in files:
            if reader not in reported[facts.path]:
                pytest.skip(f"{reader} is not installed")
            assert reported[facts.path][reader] == {"values": counts(facts, reader), "error": None}


def test_kinds(written, report):
    """Each writer's encodings are known for what TensorBoard shows them as."""
    directory, names = written
    kinds = {"loss": "scalar", "weights": "histogram"}
    for writer in {"stock", "tf_summary", "tensorboardx", "torch"} & set(names):
        (run,) = [run for run in report.runs if run.path == str(directory / writer)]
        assert {tag: run.tags[tag].kind for tag in kinds} == kinds
        assert {here.kind for here in run.tags.values()} >= {"scalar", "histogram", "image", "text"}


def test_damaged(answers):
    """The table of damaged files in the docs is what the readers say today."""
    if answers["table"] is None:
        pytest.skip("tbparse is not installed: a column of the table is missing")
    with open(PAGE, encoding="utf-8") as file:
        assert answers["table"] in file.read()

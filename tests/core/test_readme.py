"""What the README says is so: its commands, its programs, its links; and that it stays short."""

import configparser
import os
import re

import shown

TEXT = shown.read()
BLOCKS = shown.blocks(shown.README)
COMMANDS = [block.text for block in BLOCKS if block.info == "sh" and "pip install" in block.text]


def test_the_two_commands_are_one_line_each():
    """A newcomer copies one line to run the main example, and one to pass the tests; neither needs the other."""
    main_job, tests = COMMANDS
    for command in COMMANDS:
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e '.[tensorflow,test]' && ")
    assert main_job.rstrip().endswith("examples/train_digits.py")
    assert tests.rstrip().endswith("-m pytest -n auto")


def test_it_is_short_and_in_order():
    """One sentence and a picture; what to do now and from now on; what happens; the cost; the commands; links."""
    assert len(TEXT.splitlines()) <= 155
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert headings == [
        "Empty now?",
        "Never again",
        "What happens to your events",
        "What it costs",
        "Install and test",
        "Read on",
    ]
    head = TEXT.partition("## ")[0].strip().splitlines()
    assert len([line for line in head if line]) == 3
    assert head[-1].startswith("![")


def test_the_extras_of_the_commands_exist():
    """The commands install extras that setup.cfg has."""
    extras = _config()["options.extras_require"]
    assert {"tensorflow", "test", "dev", "docs"} <= set(extras)
    named = {extra for extras in re.findall(r"'[^']*\[([\w,]+)\]'", TEXT) for extra in extras.split(",")}
    assert named <= set(extras)


def test_nothing_is_cut_off_to_the_side():
    """No line of an output is so long that a reader has to scroll."""
    outputs = [block for block in BLOCKS if block.is_held_by("output of")]
    assert outputs
    assert max(len(line) for block in outputs for line in block.text.splitlines()) <= shown.COLUMNS


def test_the_versions_are_those_of_the_package():
    """The Python and TensorFlow versions that README and docs name are those of the metadata."""
    config = _config()
    pythons = re.findall(r":: (3\.\d+)$", config["metadata"]["classifiers"], re.MULTILINE)
    tensorflow = re.search(r"tensorflow >= (\S+), < 2\.(\d+)", config["options.extras_require"]["tensorflow"])
    python = f"{pythons[0]} to {pythons[-1]}"
    versions = f"{tensorflow[1]} to 2.{int(tensorflow[2]) - 1}"
    assert f"`python3` from {python}" in TEXT
    assert f"TensorFlow {versions};" in TEXT
    page = shown.read("docs/compatibility.md")
    assert f"| Python | {python} |" in page
    assert f"| TensorFlow | {versions};" in page


def _config():
    config = configparser.ConfigParser()
    config.read(os.path.join(shown.ROOT, "setup.cfg"), encoding="utf-8")
    return config

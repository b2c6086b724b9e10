"""Each command and each program that README and docs show runs, and prints what they show."""

import json
import os
import re

import pytest
import scenes
import shown

BLOCKS = [block for block in shown.blocks() if block.is_held_by("run in")]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_runs_and_prints_what_is_shown(block):
    """Commands with an output print it; other commands, and programs, end well and without a finding."""
    if block.info == "console":
        assert shown.expected(block) == block.text, f"run: python tests/support/shown.py {block.page}"
        return
    code, output = shown.run_commands(block)
    assert code == 0, output
    assert re.findall(r"SW\d{3} [a-z]", output) == [], output


def test_a_block_that_shows_something_else_fails():
    """The comparison can fail: a block whose output was changed by hand is not what its commands print."""
    block = next(block for block in BLOCKS if block.info == "console" and "nothing to report" in block.text)
    assert shown.expected(block) != block.text.replace("nothing", "something")


def test_the_keys_of_the_report_of_a_run():
    """The table of docs/run.md has the keys of the report as it is written, and no others."""
    with scenes.stage("a directory with train.py") as directory:
        shown.run("safewriter run --report report.json train.py", directory)
        with open(os.path.join(directory, "report.json"), encoding="utf-8") as file:
            report = json.load(file)
    (process,) = report["processes"]
    rows = re.findall(r"^\| (`.*?) \| (report|process) \| (.*) \|$", shown.read("docs/run.md"), re.MULTILINE)
    for of, written in (("report", report), ("process", process)):
        assert {key for keys, each, _ in rows if each == of for key in re.findall(r"`(\w+)`", keys)} == set(written)
    (findings,) = [what for keys, _, what in rows if keys == "`findings`"]
    assert set(re.findall(r"`(\w+)`", findings)) == set(process["findings"][0])

"""Each command and each program that README and docs show runs, and prints what they show."""

import re

import pytest
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

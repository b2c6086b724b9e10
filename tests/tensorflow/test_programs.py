"""Whole programs: each broken one is reported what is wrong with it and nothing else, each correct one is left alone.

``python tests/table_of_programs.py`` prints the table and its two figures.
"""

import os

import pytest
import table_of_programs as table

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the programs use what only POSIX systems have")


@pytest.mark.parametrize("program", table.programs("broken"), ids=lambda program: program.name)
def test_broken_program_is_reported(fork_server, program):
    """The right codes come, each at its line, each naming the lines it must, and no others."""
    assert program.reported, "a broken program says what is expected"
    outcome = table.run(fork_server, program)
    assert table.complaints(program, outcome) == [], outcome.stderr


@pytest.mark.parametrize("program", table.programs("correct"), ids=lambda program: program.name)
def test_correct_program_is_left_alone(fork_server, program):
    """Nothing is reported, and the program ends well."""
    assert not program.reported
    outcome = table.run(fork_server, program)
    assert table.complaints(program, outcome) == [], outcome.stderr


def test_the_broken_programs_show_every_code_of_a_live_writer():
    """Every code from SW1xx to SW5xx has a broken program, but what needs a disk of its own, or is only noted."""
    from safewriter.findings import CATALOGUE

    shown = {code for program in table.programs("broken") for code, _ in program.reported}
    assert {code for code in CATALOGUE if code < "SW6"} - shown == {"SW106", "SW205"}

"""The catalogue's programs do what its texts say, and the page is made from it."""

import json
import os
import subprocess
import sys

import pytest

from safewriter.findings import CATALOGUE, Kind
from safewriter.findings.page import HUNDREDS, anchor, page, table

TESTS = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(TESTS), "docs", "codes.md")

#: Programs that can't share a process, and why.
OWN_PROCESS = {
    "SW203": "two processes are its subject",
    "SW501": "it is told when the interpreter ends",
    "SW502": "it lowers a limit of the process",
    "SW505": "its forked child speaks for itself",
}
POSIX_ONLY = {"SW502", "SW505"}
#: The one code without a program; its text says why.
WITHOUT_PROGRAM = {"SW901"}
#: Needs a small disk, which not every machine lets a test have.
SMALL_DISK = "SW106"

TOGETHER = [code for code in CATALOGUE if code not in OWN_PROCESS and code not in WITHOUT_PROGRAM]


def environment(home):
    """The child's environment: a home of its own, no settings of safewriter's, no chatter of TensorFlow's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAFEWRITER_", "PYTHONWARN"))}
    kept.pop("RUN_DIR", None)
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}


def run_together(programs, tmp_path):
    """Runs ``{code: source}`` in one child process; gives ``{code: outcome}``."""
    jobs = {}
    for code, source in programs.items():
        directory = tmp_path / code
        directory.mkdir(exist_ok=True)
        jobs[code] = [str(directory), source]
    child = subprocess.run(
        [sys.executable, os.path.join(TESTS, "run_programs.py")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=240,
    )
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout.splitlines()[-1])


@pytest.fixture
def small_disk(tmp_path):
    """A function that mounts a disk of 50 MB at a new directory, or says False; unmounted at the end."""
    mounted = []

    def mount(directory):
        directory.mkdir(parents=True)
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            return False
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(directory)], capture_output=True)
        if done.returncode == 0:
            mounted.append(directory)
        return done.returncode == 0

    yield mount
    for directory in mounted:
        subprocess.run(["umount", str(directory)], check=True)


def test_each_bad_program_provokes_its_code_and_no_other(tmp_path, small_disk):
    """Each bad program is told its own code, at a line of the program, and nothing else."""
    has_small_disk = small_disk(tmp_path / SMALL_DISK / "small")
    codes = [code for code in TOGETHER if has_small_disk or code != SMALL_DISK]
    outcomes = run_together({code: CATALOGUE[code].bad for code in codes}, tmp_path)
    assert {code: sorted({*outcome["codes"], *outcome["others"]}) for code, outcome in outcomes.items()} == {
        code: [code] for code in codes
    }
    places = {code: set(outcome["places"]) - {"program.py"} for code, outcome in outcomes.items()}
    assert places == {code: set() for code in codes}


def test_each_good_program_is_silent(tmp_path):
    """No good program is warned, raises, or has a finding in its files."""
    outcomes = run_together({code: CATALOGUE[code].good for code in TOGETHER}, tmp_path)
    assert {code: outcome["codes"] + outcome["others"] for code, outcome in outcomes.items()} == {
        code: [] for code in TOGETHER
    }


@pytest.mark.parametrize("code", OWN_PROCESS)
def test_a_program_of_its_own_process_is_told_and_its_mended_form_is_silent(code, tmp_path, run_program):
    """A fault of the process itself is told by the bad program as a user sees it, and not by the good one."""
    if code in POSIX_ONLY and os.name != "posix":
        pytest.skip("the fault is made with a POSIX call")
    for kind, expected in (("bad", [code]), ("good", [])):
        directory = tmp_path / kind
        directory.mkdir()
        outcome = run_program(getattr(CATALOGUE[code], kind), cwd=directory)
        assert sorted(set(outcome.codes)) == expected, outcome.stderr


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_entry_is_whole(code):
    """Each code has a name in words, whole sentences and a pair of programs."""
    entry = CATALOGUE[code]
    assert entry.code == code
    assert entry.name == entry.name.lower()
    assert " " not in entry.name
    for text in (entry.when, entry.why, entry.mend):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith((".", "?", "…")), text
        assert "  " not in text
    assert (not entry.bad and not entry.good) == (code in WITHOUT_PROGRAM)
    assert entry.bad != entry.good or not entry.bad
    assert code[:3] in HUNDREDS


def test_names_and_kinds_are_the_promised_ones():
    """Codes are stable: none is renamed, renumbered or of another kind."""
    errors = {code for code, entry in CATALOGUE.items() if entry.kind is Kind.ERROR}
    assert errors == {"SW101", "SW102", "SW103", "SW105", "SW305"}
    assert {code for code, entry in CATALOGUE.items() if entry.kind is Kind.FINDING} == {
        f"SW60{n}" for n in range(1, 6)
    }
    assert len({entry.name for entry in CATALOGUE.values()}) == len(CATALOGUE) == 35
    assert list(CATALOGUE) == sorted(CATALOGUE)


def test_the_page_is_made_from_the_catalogue():
    """docs/codes.md is what the generator makes now."""
    with open(PAGE, encoding="utf-8") as file:
        assert file.read() == page(), "run: python -m safewriter.findings.page docs/codes.md"


def test_each_link_of_the_table_has_its_heading():
    """Each row of the table leads to a heading of the page."""
    headings = {line[4:].lower().replace(" ", "-") for line in page().splitlines() if line.startswith("### ")}
    assert headings == {anchor(entry) for entry in CATALOGUE.values()}
    assert all(f"(#{heading})" in table() for heading in headings)

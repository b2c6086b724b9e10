"""The catalogue's programs do what its texts say, and the page is made from it."""

import os
import re
import subprocess
import sys

import pytest

from safewriter.findings import CATALOGUE, Kind
from safewriter.findings.page import HUNDREDS

#: The one code without a program; its text says why.
WITHOUT_PROGRAM = {"SW901"}
WITH_PROGRAM = [code for code in CATALOGUE if code not in WITHOUT_PROGRAM]
#: Those that have a pair for TF2 besides; the others are of one house only.
WITH_TF2 = [code for code in CATALOGUE if CATALOGUE[code].bad_tf2]
POSIX_ONLY = {"SW502", "SW505"}

#: How the audit's findings begin where a program prints them.
_PRINTED = re.compile(r"^(SW\d{3}) [a-z-]+: ", re.MULTILINE)


def run(run_forked, code, kind, directory):
    """Runs one of a code's programs in an empty directory that is also its user's home; gives its outcome."""
    if code in POSIX_ONLY and os.name != "posix":
        pytest.skip("the fault is made with a POSIX call")
    directory.mkdir(exist_ok=True)
    home = {"HOME": str(directory), "USERPROFILE": str(directory), "RUN_DIR": "logs"}
    if kind.startswith("bad"):
        del home["RUN_DIR"]
    return run_forked(getattr(CATALOGUE[code], kind), cwd=directory, env=home)


def codes(outcome):
    """Every code that a program reported or printed, once."""
    return sorted({*outcome.codes, *_PRINTED.findall(outcome.stdout)})


def mount_small_disk(directory):
    """Mounts a disk of 50 MB; False where this user or system can't."""
    directory.mkdir(parents=True)
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(directory)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [(code, "bad") for code in WITH_PROGRAM if code != "SW106"]
    + [(code, "bad_tf2") for code in WITH_TF2 if code != "SW106"],
)
def test_a_bad_program_is_told_its_code_and_no_other(code, kind, run_forked, tmp_path):
    """A bad program is reported its own code, at a line of its own, and nothing else; only an error ends it."""
    outcome = run(run_forked, code, kind, tmp_path)
    assert codes(outcome) == [code], outcome.stderr
    assert {reported.file for reported in outcome.reported} <= {"program.py"}, outcome.stderr
    raises = CATALOGUE[code].kind is Kind.ERROR or code == "SW502"
    assert (outcome.exit_code != 0) == raises, outcome.stderr


@pytest.mark.parametrize("kind", ["bad", "bad_tf2"])
def test_a_small_disk_is_reported(kind, run_forked, tmp_path):
    """The bad programs of SW106 are reported on a disk that has less than 100 MB, and on no other."""
    if mount_small_disk(tmp_path / "small"):
        try:
            outcome = run(run_forked, "SW106", kind, tmp_path)
        finally:
            subprocess.run(["umount", str(tmp_path / "small")], check=True)
        assert codes(outcome) == ["SW106"], outcome.stderr
    else:
        assert codes(run(run_forked, "SW106", kind, tmp_path)) == []


@pytest.mark.parametrize(
    ("code", "kind"), [(code, "good") for code in WITH_PROGRAM] + [(code, "good_tf2") for code in WITH_TF2]
)
def test_a_good_program_is_silent(code, kind, run_forked, tmp_path):
    """The fixed program ends well, and neither it nor its files give a finding."""
    outcome = run(run_forked, code, kind, tmp_path)
    assert outcome.exit_code == 0, outcome.stderr
    assert codes(outcome) == [], outcome.stderr
    assert "Warning: " not in outcome.stderr


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_entry_is_whole(code):
    """Each code has a name in words, whole sentences and a pair of programs."""
    entry = CATALOGUE[code]
    assert entry.code == code
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.name)
    for text in (entry.when, entry.why, entry.fix):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith((".", "?", "…")), text
        assert "  " not in text
    assert (not entry.bad and not entry.good) == (code in WITHOUT_PROGRAM)
    assert entry.bad != entry.good or not entry.bad
    assert bool(entry.bad_tf2) == bool(entry.good_tf2)
    assert entry.bad_tf2 != entry.good_tf2 or not entry.bad_tf2
    assert code[:3] in HUNDREDS


def test_each_code_that_both_have_shows_both():
    """A code of a live writer shows a TF2 program, but those of v1's summary ops, queue and steps."""
    v1_only = {*(f"SW30{n}" for n in range(1, 7)), "SW402", "SW501", "SW502", "SW504"}
    live = {code for code in CATALOGUE if code < "SW6"} - v1_only
    assert {code for code in live if code not in WITH_TF2 and "create_file_writer" not in CATALOGUE[code].bad} <= {
        "SW507"
    }


def test_names_and_kinds_are_the_promised_ones():
    """Codes are stable: none is missing, renumbered or of another kind."""
    kinds = {kind: {code for code, entry in CATALOGUE.items() if entry.kind is kind} for kind in Kind}
    assert kinds[Kind.ERROR] == {"SW101", "SW102", "SW103", "SW105", "SW305"}
    assert kinds[Kind.FINDING] == {"SW205", *(f"SW60{n}" for n in range(1, 6))}
    assert len({entry.name for entry in CATALOGUE.values()}) == len(CATALOGUE) == 44
    assert list(CATALOGUE) == sorted(CATALOGUE)

"""Whole programs, broken and correct, and what was reported of each: ``python tests/support/table_of_programs.py``.

Those whose names begin with ``v2_`` are of TF2 or Keras, and are counted apart as well.

A program stands in ``tests/programs/broken`` or ``tests/programs/correct``. Comments in it say what is expected:

``# reported: SW302``       a warning points at this line
``# raised: SW103``     an error leaves the program at this line
``# named: SW301``      the text of that finding names this line
``# unprivileged``      it runs as a user that owns nothing

A broken program is diagnosed correctly where exactly these findings come, each at its line, and a correct one is left
alone where none comes, and no other warning that points at it.
"""

import collections
import dataclasses
import os
import re
import sys
import tempfile

import children

ROOT = os.path.join(os.path.dirname(children.HERE), "programs")
#: A warning that points at the program; TensorFlow warns of itself as well.
_WARNED_OF_USER = re.compile(r"^(?!.*-packages).*:\d+: \w*Warning: ", re.MULTILINE)
#: What a program of TF2 has not.
_OF_TF1 = re.compile(r"FileWriter|add_summary")
_MARK = re.compile(r"# (reported|raised|named): ((?:SW\d{3} ?)+)")


@dataclasses.dataclass(frozen=True)
class Program:
    """A program, and what is expected of it.

    Attributes:
        path: Its file.
        reported: ``(code, line)`` of each expected finding, sorted.
        named: ``(code, line)`` of each line that a finding must name.
        fails: Whether an error ends it.
        unprivileged: Whether it runs as a user that owns nothing.
    """

    path: str
    reported: tuple[tuple[str, int], ...]
    named: tuple[tuple[str, int], ...]
    fails: bool
    unprivileged: bool

    @property
    def is_tf2(self):
        """Whether it is a program of TF2 or Keras; their names say so."""
        return os.path.basename(self.path).startswith("v2_")

    @property
    def name(self):
        return os.path.splitext(os.path.relpath(self.path, ROOT))[0].replace(os.sep, "/")


def programs(kind):
    """The programs of a kind, ``broken`` or ``correct``, by name."""
    directory = os.path.join(ROOT, kind)
    return [_read(os.path.join(directory, name)) for name in sorted(os.listdir(directory)) if name.endswith(".py")]


def _read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    marks = [
        (word, code, number)
        for number, line in enumerate(lines, start=1)
        for word, codes in _MARK.findall(line)
        for code in codes.split()
    ]
    return Program(
        path,
        reported=tuple(sorted((code, number) for word, code, number in marks if word != "named")),
        named=tuple((code, number) for word, code, number in marks if word == "named"),
        fails=any(word == "raised" for word, _, _ in marks),
        unprivileged="# unprivileged" in lines,
    )


def complaints(program, outcome):
    """What a program's outcome has that it should not, and the other way round; empty where all is right."""
    base = os.path.basename(program.path)
    reported = sorted((each.code, each.line if each.file == base else f"line {each.line} of {each.file}")
                  for each in outcome.reported)  # fmt: skip
    found = []
    if reported != list(program.reported):
        found.append(f"reported {reported}, expected {list(program.reported)}")
    for code, line in program.named:
        if not any(
            each.code == code and re.search(rf"{re.escape(base)}:{line}\b", each.text) for each in outcome.reported
        ):
            found.append(f"no {code} names line {line}")
    found += [f"{each.code} speaks of TF1" for each in outcome.reported if program.is_tf2 and _OF_TF1.search(each.text)]
    if bool(outcome.exit_code) != program.fails:
        found.append(f"exit code {outcome.exit_code}")
    if not program.reported and _WARNED_OF_USER.search(outcome.stderr):
        found.append("something else was warned")
    return found


def run(server, program):
    """Runs a program in an empty directory of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o777)
        return server.run(path=program.path, cwd=directory, unprivileged=program.unprivileged)


def main(*names):
    """Runs all, or those of these names; prints one line each and the figures, and what failed ones printed.

    Returns:
        Whether anything is wrong, for the exit code.
    """
    wrong = 0
    figures = []
    with children.ForkServer() as server:
        for kind, verdict in (("broken", "diagnosed correctly"), ("correct", "left alone")):
            right = collections.Counter()
            chosen = [program for program in programs(kind) if not names or program.name in names]
            for program in chosen:
                outcome = run(server, program)
                found = complaints(program, outcome)
                right[program.is_tf2] += not found
                codes = " ".join(code for code, _ in program.reported)
                print(f"{program.name:55} {codes:20} {'; '.join(found) or 'ok'}")
                if found:
                    print(outcome.stderr)
            wrong += len(chosen) - right.total()
            tf2 = sum(program.is_tf2 for program in chosen)
            figures.append(
                f"{right.total()} of {len(chosen)} {kind} programs {verdict}; of TF2 and Keras {right[True]} of {tf2}"
            )
    print("\n".join(figures))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

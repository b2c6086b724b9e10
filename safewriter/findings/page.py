"""The page of all codes, ``docs/codes.md``, made from the catalogue.

python -m safewriter.findings.page docs/codes.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from safewriter.findings.catalogue import CATALOGUE
from safewriter.findings.code import Code, Kind

HUNDREDS = {
    "SW1": "The log directory",
    "SW2": "Distributed training",
    "SW3": "Summary ops",
    "SW4": "Tags, steps and values",
    "SW5": "The way to the disk",
    "SW6": "Event files at rest",
    "SW9": "safewriter itself",
}

_KINDS = {
    Kind.ERROR: "Error: it is raised, because the write can't work.",
    Kind.WARNING: "Warning: it is warned, and raised under `strict=True`.",
    Kind.FINDING: "Finding: the audit lists it.",
}

_HEAD = """\
# The codes

Everything that safewriter says has a code. The codes are stable and never used again for something else.
`safewriter explain SW302` shows an entry in the terminal; `ignore=("SW302",)` at the writer, or
`SAFEWRITER_IGNORE=SW302` in the environment, silences a warning, and a prefix such as `SW3` silences a whole part.

This page is made from the catalogue in `safewriter/findings/catalogue/` by
`python -m safewriter.findings.page docs/codes.md`. A test runs every program on it: the first of each pair provokes
its code, the second is silent.
"""


def table(link: str = "") -> str:
    """All codes as a Markdown table, each with a link to its entry.

    Args:
        link: The path of the page from where the table stands; empty on the page itself.
    """
    rows = [f"| [{entry.code}]({link}#{anchor(entry)}) | {entry.name} | {entry.when} |" for entry in CATALOGUE.values()]
    return "\n".join(["| code | name | when |", "|---|---|---|", *rows]) + "\n"


def anchor(entry: Code) -> str:
    """The address of an entry within the page, as Markdown renderers derive it from the heading."""
    return f"{entry.code} {entry.name}".lower().replace(" ", "-")


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD, table()]
    for hundred, title in HUNDREDS.items():
        parts.append(f"## {title}\n")
        parts += ["\n".join(_entry(entry)) for entry in CATALOGUE.values() if entry.code.startswith(hundred)]
    return "\n".join(parts)


def _entry(entry: Code) -> Iterator[str]:
    yield f"### {entry.code} {entry.name}\n"
    yield f"{entry.when}\n"
    yield f"*{_KINDS[entry.kind]}*\n"
    yield f"**Why it matters.** {entry.why}\n"
    yield f"**What to change.** {entry.fix}\n"
    if entry.bad:
        yield f"Reported:\n\n```python\n{entry.bad}```\n"
        yield f"Silent:\n\n```python\n{entry.good}```\n"
    if entry.bad_tf2:
        yield f"Reported, with TF2:\n\n```python\n{entry.bad_tf2}```\n"
        yield f"Silent, with TF2:\n\n```python\n{entry.good_tf2}```\n"


def main(arguments: Sequence[str]) -> int:
    """Writes the page to the path given, or to standard output."""
    if not arguments:
        sys.stdout.write(page())
        return 0
    with open(arguments[0], "w", encoding="utf-8", newline="\n") as file:
        file.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

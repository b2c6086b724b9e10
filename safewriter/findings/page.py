"""The documentation of the codes, made from the catalogue: ``docs/codes.md`` and a page for each code.

python -m safewriter.findings.page docs
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Sequence

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

#: The codes on the start page by what TensorBoard looks like, the likeliest cause first.
LOOKS = {
    "TensorBoard is empty: “No dashboards are active”": "SW104 SW101 SW103 SW102 SW105 SW603 SW605",
    "The graph is there, the scalars are not": "SW301 SW302 SW303 SW306 SW305 SW202",
    "TF2 and Keras: the run is there, `tf.summary` left nothing": "SW307 SW311 SW310 SW309 SW312 SW313 SW507 SW205",
    "One dot, or a vertical line, where a curve should be": "SW402 SW404 SW308 SW304 SW406 SW405",
    "A zigzag, or points that disappear": "SW204 SW203 SW201 SW107 SW403 SW604",
    "The end of the curve is missing, or it stopped": "SW501 SW503 SW502 SW106 SW504 SW505 SW506 SW602 SW601",
    "A gap in the curve": "SW401",
}

_KINDS = {
    Kind.ERROR: "An error: it is raised, because the write can't work.",
    Kind.WARNING: "A warning; an error under `strict=True`.",
    Kind.FINDING: "A finding: it is listed in a report, and never warned.",
}

_HEAD = """\
# The codes

Everything that safewriter says has a code. Codes are stable: none is renumbered, or used again for something else.

- `safewriter explain SW302` prints the page of a code in the terminal, word for word.
- `ignore=("SW302",)` at the writer, or `SAFEWRITER_IGNORE=SW302` in the environment, silences a warning; a prefix such
  as `SW3` silences a whole part.
- Each page has two programs. A test runs both: the first provokes its code and no other, the second is silent.

If you don't have a code yet, [start here](index.md).
"""

_LONGEST = 28  # characters of a repository's name
_MADE = "<!-- made by: python -m safewriter.findings.page docs -->\n"


def entry(code: Code) -> str:
    """What a code means, as Markdown: the text of its page and of ``safewriter explain``."""
    parts = [f"# {code.code} {code.name} ({code.kind.value})", code.when]
    if code.symptom is not None:
        parts.append(f"**What you see.** {code.symptom.sees}.")
    parts.append(f"**Why it matters.** {code.why}")
    parts.append(f"**What to change.** {code.fix}")
    parts.append(f"**How it comes.** {_KINDS[code.kind]}")
    for it, bad, good in (("It", code.bad, code.good), ("With TF2 it", code.bad_tf2, code.good_tf2)):
        if bad:
            parts.append(f"{it} is reported for:\n\n```python\n{bad.rstrip()}\n```")
            parts.append(f"{it} is not reported for:\n\n```python\n{good.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def code_page(code: Code) -> str:
    """The page of one code: its entry, the public reports of it, and its neighbours."""
    parts = [f"---\ntitle: {code.code} {code.name}\n---\n", _MADE, entry(code)]
    if code.symptom is not None and code.symptom.reports:
        parts.append(f"**Reported by others as** {', '.join(map(issue, sorted(code.symptom.reports)))}.\n")
    codes = list(CATALOGUE)
    at = codes.index(code.code)
    links = [f"[← {each}]({each}.md)" for each in codes[:at][-1:]]
    links += ["[all codes](../codes.md)", "[start here](../index.md)"]
    links += [f"[{each} →]({each}.md)" for each in codes[at + 1 :][:1]]
    parts.append(" · ".join(links) + "\n")
    return "\n".join(parts)


def index_page() -> str:
    """The page that lists all codes."""
    parts = [_MADE, _HEAD]
    for hundred, title in HUNDREDS.items():
        parts.append(f"## {title}\n")
        parts.append("| code | name | when |\n|---|---|---|")
        parts += [
            f"| [{each.code}](codes/{each.code}.md) | {each.name} | {each.when} |"
            for each in CATALOGUE.values()
            if each.code.startswith(hundred)
        ]
        parts.append("")
    return "\n".join(parts)


def symptoms_table() -> str:
    """From what is seen to the fix, as Markdown: one table under a heading for each way in which TensorBoard looks."""
    parts = []
    for title, codes in LOOKS.items():
        parts.append(f"## {title}\n")
        parts.append("| What you see | What it means | Code | The fix |\n|---|---|---|---|")
        for code in codes.split():
            row = CATALOGUE[code].symptom
            assert row is not None
            sees = f"{row.sees} ({issue(row.reports[0])})" if row.reports else row.sees
            parts.append(f"| {sees} | {row.means} | [{code}](codes/{code}.md) | {row.fix} |")
        parts.append("")
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Each page that is made from the catalogue, by its path below ``docs``."""
    return {"codes.md": index_page(), **{f"codes/{code}.md": code_page(CATALOGUE[code]) for code in CATALOGUE}}


def issue(report: str) -> str:
    """A link to a public report, ``owner/repository#number``."""
    path, _, number = report.partition("#")
    name = path.partition("/")[2]
    name = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    # GitHub leads from an issue's address to a pull request of that number
    return f"[{name}#{number}](https://github.com/{path}/issues/{number})"


def main(arguments: Sequence[str]) -> int:
    """Writes the pages into the directory given, and removes those of codes that are no more."""
    (directory,) = arguments
    os.makedirs(os.path.join(directory, "codes"), exist_ok=True)
    made = {os.path.join(directory, path): text for path, text in pages().items()}
    for path, text in made.items():
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    for path in set(glob.glob(os.path.join(directory, "codes", "SW*.md"))) - set(made):
        os.unlink(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""README and docs, without running what they show: what is made, what is held to a program, what leads where."""

import glob
import importlib.util
import os
import re
import subprocess
import sys

import pytest
import scenes
import shown

import safewriter
from safewriter.findings import CATALOGUE
from safewriter.findings.page import LOOKS, entry, pages

BLOCKS = shown.blocks()
ROWS = {code: entry.symptom for code, entry in CATALOGUE.items() if entry.symptom is not None}


def test_the_codes_pages_are_made_from_the_catalogue():
    """docs/codes.md and each page below docs/codes are what the generator makes now, and there is none besides."""
    directory = os.path.join(shown.ROOT, "docs")
    found = {os.path.relpath(path, directory).replace(os.sep, "/") for path in glob.glob(f"{directory}/codes/*")}
    found.add("codes.md")
    assert found == set(pages())
    stale = [path for path, text in pages().items() if shown.read(f"docs/{path}") != text]
    assert stale == [], "run: python -m safewriter.findings.page docs"


@pytest.mark.parametrize("code", CATALOGUE)
def test_explain_says_what_the_page_says(code):
    """``safewriter explain`` prints the page, word for word, but for its links."""
    page = shown.read(f"docs/codes/{code}.md")
    assert entry(CATALOGUE[code]) in page


def test_the_command_prints_the_entry():
    """What the command prints is the entry."""
    done = subprocess.run(
        [sys.executable, "-m", "safewriter", "explain", "SW301"],
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout == entry(CATALOGUE["SW301"])


def test_each_code_has_a_symptom():
    """The start page leads to each code, but for the one that nothing in TensorBoard shows."""
    assert set(ROWS) == set(CATALOGUE) - {"SW901"}
    assert sorted(" ".join(LOOKS.values()).split()) == sorted(ROWS)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_symptom_is_a_row(row):
    """A row is short, whole, and keeps to its cells."""
    for text in (row.sees, row.means, row.fix):
        assert text
        assert "|" not in text
        assert len(text) <= 110
    assert row.means.endswith(".")
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", report) for report in row.reports)


def test_each_table_is_what_it_is_made_from():
    """Each table is what it is made from; that of reports is measured in tests/docs."""
    named = {name: text for _, name, text in shown.tables()}
    assert set(named) == {"symptoms", "faults", "costs", "reports"}
    for name in ("symptoms", "faults", "costs"):
        assert named[name] == shown.table(name), "run: python tests/support/shown.py"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_each_block_is_held_to_a_program(block):
    """Each code block says what holds it; only the commands that install are held by CI itself."""
    if block.info == "sh" and "venv" in block.text:
        assert ".venv/bin/" in block.text
        return
    assert block.held is not None, "say what holds it: see tests/support/shown.py"
    if block.is_held_by("program"):
        assert block.info == "python"
        assert block.text == shown.read(block.source)
    elif block.is_held_by("output of"):
        assert block.info == "text"
        assert os.path.exists(os.path.join(shown.ROOT, block.source.split()[0]))
    elif block.is_held_by("run in"):
        assert block.info in ("sh", "console", "python")
        assert block.source in scenes.SCENES
    elif block.is_held_by("held by"):
        assert os.path.exists(os.path.join(shown.ROOT, block.source))
    else:
        assert block.is_held_by("options of")


@pytest.mark.parametrize(
    "block", [each for each in BLOCKS if each.is_held_by("options of")], ids=lambda each: each.name
)
def test_a_synopsis_names_the_options_of_the_command(block):
    """Each option in a synopsis is one of its command, and each one of the command is in it."""
    for command in block.source.split(", "):
        help_text = subprocess.run(
            [sys.executable, "-m", *command.split(), "--help"],
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        ).stdout
        lines = [line for line in block.text.splitlines() if line.startswith(command)]
        named = {option for line in lines for option in re.findall(r"--[\w-]+", line)}
        assert named == set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", help_text, re.MULTILINE)) - {"--help"}


@pytest.mark.parametrize("name", [*shown.pages(), *(f"docs/{path}" for path in pages())])
def test_each_link_to_a_file_leads_somewhere(name):
    """A link to a page or a picture of the project leads to a file of it, and to a heading where it names one."""
    here = os.path.dirname(name)
    for link, heading in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", shown.read(name)):
        path = os.path.normpath(os.path.join(here, link)) if link else name
        assert os.path.exists(os.path.join(shown.ROOT, path)), link
        if heading and path.endswith(".md") and not path.endswith("api.md"):
            headings = {_anchor(text) for text in re.findall(r"^#+ (.*)$", shown.read(path), re.MULTILINE)}
            assert heading in headings


def _anchor(heading):
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def test_each_example_is_to_be_found():
    """Each file of examples/ is named in the README or on a page."""
    text = "".join(shown.read(name) for name in shown.pages())
    examples = [name for name in os.listdir(os.path.join(shown.ROOT, "examples")) if name.endswith(".py")]
    assert [name for name in examples if f"examples/{name}" not in text] == []


def test_each_line_to_import_can_be_imported():
    """An import that is shown in a sentence or a table is one that the package has."""
    text = "".join(map(shown.read, shown.pages()))
    lines = set(re.findall(r"`from (safewriter[\w.]*) import ([^`]+)`", text))
    assert len(lines) >= 3
    for module, names in lines:
        assert importlib.util.find_spec(module) is not None
        if module == "safewriter":
            assert {name.partition(" as ")[0] for name in names.split(", ")} <= set(safewriter.__all__)


def test_the_api_page_has_each_public_name():
    """Each public name has a place on the page of the API."""
    named = set(re.findall(r"^::: [\w.]+\.(\w+)$", shown.read("docs/api.md"), re.MULTILINE))
    assert set(safewriter.__all__) <= named

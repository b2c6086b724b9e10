"""No picture shows what the programs don't do any more."""

import os
import re

import pictures
import pytest
import shown


def _without_blanks(lines):
    """Lines without blanks: an SVG has no text where a terminal has nothing but blanks."""
    return [line for line in (re.sub(r"\s", "", line) for line in lines) if line]


def test_each_picture_is_made_by_a_program_and_shown():
    """docs/pictures holds what pictures.py makes and nothing else, and each is on a page."""
    assert set(os.listdir(pictures.PICTURES)) == set(pictures.DRAW)
    text = "".join(map(shown.read, shown.pages()))
    assert [name for name in pictures.DRAW if f"pictures/{name}" not in text] == []


@pytest.mark.parametrize("name", pictures.TERMINALS)
def test_a_terminal(name):
    """A picture of a terminal has the text that the command prints, and fetches nothing."""
    assert _without_blanks(pictures.said(name)) == _without_blanks(pictures.terminal_lines(name))
    content = (pictures.PICTURES / name).read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./]+", content)) <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}


def test_the_curves():
    """The picture of the curves holds the points that TensorBoard's reader finds now, before and after."""
    pytest.importorskip("tensorflow", reason="the curves are written by TensorFlow's writer")
    assert pictures.said("curves.png") == pictures.curves()


def test_the_tab():
    """The pictures of the tab have the text that the tab has in a browser now."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
    if pictures.CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    for name, text, _ in pictures.tabs():
        assert pictures.said(name) == text, name


def test_the_way_of_an_event():
    """The diagram is what its program draws, and names rooms that the package has."""
    import diagram

    assert pictures.said("path.svg") == diagram.draw()
    rooms = set(re.findall(r"^\| `(\w+)`", shown.read("CONTRIBUTING.md"), re.MULTILINE))
    drawn = {name for box in diagram.rooms() for name in box.split(", ")}
    assert drawn - {"your program", "disk"} <= rooms


def test_the_cost():
    """The bars are drawn from the figures of the table beside them, of each payload."""
    import cost

    assert len(cost.figures()) == 4
    assert pictures.said("cost.svg") == cost.draw()

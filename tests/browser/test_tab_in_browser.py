"""The tab in a real browser: what is seen, and that it is usable by everybody."""

import math
import os
import re
import shutil
from urllib.parse import urlsplit

import pytest

pytest.importorskip("tensorboard", reason="TensorBoard is not installed here")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")

from tensorboard_server import IMPATIENT, scalar, serve, write  # noqa: E402 - it needs TensorBoard

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
HOSTILE = "<img src=x onerror=alert(1)>"
MANY = 1000


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens an address and gives the page; a dialog or an error of a script fails the test."""
    opened, wrong = [], []

    def open_at(url, **options):
        context = browser.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        return page

    yield open_at
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A run of each kind."""
    top = tmp_path_factory.mktemp("logs")
    write(top / "sound", *(scalar(step, math.sin(step / 5)) for step in range(60)))
    write(top / "nan", *(scalar(step, math.nan if step > 40 else step / 9) for step in range(60)))
    whole = [scalar(step, step**0.5) for step in range(40)]
    write(top / "damaged", *whole[:25], b"?" * 40, *whole[25:])
    steps = [*range(30), *range(10, 25)]
    write(top / "back", *(scalar(step, place / 9, wall_time=1000.0 + place) for place, step in enumerate(steps)))
    write(top / "long", *(scalar(step, step / 9) for step in range(1500)))
    write(top / HOSTILE, scalar(1, math.nan, tag="<b>tag</b>"))
    return top


@pytest.fixture(scope="module", params=["false", "true"])
def server(request, logs):
    """TensorBoard over them, with each loader."""
    if request.param == "true":
        pytest.importorskip("tensorboard_data_server", reason="the fast loader is not installed here")
    with serve(f"--logdir={logs}", f"--load_fast={request.param}", "--reload_interval=1", "--path_prefix=/p") as server:
        server.audit(
            lambda answer: all(run["held_step"] is not None for run in answer["by_run"].values()) and answer["runs"]
        )
        yield server


def alone(server, run=None):
    """The address of the page without TensorBoard around it."""
    return server.url + "data/plugin_entry.html?name=safewriter" + ("" if run is None else f"#run={run}")


def row(page, name):
    return page.locator("tbody tr:not(.detail)").filter(has=page.get_by_role("button", name=name, exact=True))


def test_every_verdict_and_fate(server, open_page):
    """Each run shows its verdict; opened, its findings with hints, and a chart that names what is not shown and why."""
    page = open_page(alone(server))
    for name, verdict in (
        ("sound", "sound"),
        ("nan", "look"),
        ("damaged", "damaged"),
        ("back", "look"),
        (HOSTILE, "look"),
    ):
        assert row(page, name).locator(".verdict").inner_text() == verdict
    assert page.get_by_role("status").inner_text() == "6 runs, 4 with findings."
    page.get_by_role("button", name="damaged", exact=True).click()
    detail = page.locator("tr.detail")
    assert "SW602" in detail.inner_text()
    assert "15 behind damage" in detail.get_by_role("img").get_attribute("aria-label")
    assert detail.locator("svg.chart path").count() == 15
    detail.get_by_text("What is SW602?").click()
    page.wait_for_selector("details p")
    page.get_by_role("button", name="nan", exact=True).click()
    page.wait_for_selector("svg[aria-label*='19 not finite']")
    page.get_by_role("button", name="back", exact=True).click()
    page.wait_for_selector("svg[aria-label*='overtaken'], svg[aria-label*='All are shown']")
    page.get_by_role("button", name="long", exact=True).click()
    page.get_by_role("button", name="loss", exact=True).click()
    page.wait_for_selector("svg[aria-label*='1,500 points on disk, 1,000 in TensorBoard. 500 sampled away']")
    page.get_by_role("button", name="sound", exact=True).click()
    assert "Nothing is wrong" in detail.inner_text()


def test_hostile_names_are_text(server, open_page):
    """A run and a tag that are HTML are shown as text; nothing of them runs."""
    page = open_page(alone(server))
    page.get_by_role("button", name=HOSTILE, exact=True).click()
    page.get_by_role("button", name="<b>tag</b>").wait_for()
    page.wait_for_selector("svg.chart")
    assert page.locator("img").count() == 0
    assert page.locator("b").count() == 0


def test_in_tensorboard(server, open_page):
    """In TensorBoard the tab has its number; the frame follows dark mode, and a hidden tab asks nothing."""
    page = open_page(server.url + "#safewriter")
    frame = page.frame_locator("iframe[src*='safewriter']")
    frame.get_by_role("button", name="damaged", exact=True).wait_for(timeout=60_000)
    assert "Safewriter (4)".lower() in page.content().lower()
    light = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.evaluate("document.body.classList.add('dark-mode')")
    frame.locator("html.dark").wait_for(state="attached")
    assert frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") != light
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.querySelector(\"iframe[src*='safewriter']\").style.display = 'none'")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(6000)
    assert [url for url in asked if "plugin/safewriter" in url] == []


def test_the_table_is_never_seen_without_its_style(server, open_page):
    """The style comes with the module: where all but that and the verdicts fails to load, the table has its colours."""
    refused = []

    def only_what_is_needed(route):
        path = urlsplit(route.request.url).path
        if path.endswith(("/plugin_entry.html", "/index.js", "/audit")):
            route.continue_()
        else:
            refused.append(path)
            route.abort()

    page = open_page("about:blank")
    page.route("**/*", only_what_is_needed)
    page.goto(alone(server))
    row(page, "damaged").wait_for()
    style = row(page, "damaged").locator(".verdict").evaluate("each => getComputedStyle(each).fontWeight")
    back = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert (style, back) == ("500", "rgb(255, 255, 255)"), refused


def test_by_keyboard(server, open_page):
    """Sorting, opening a run and choosing a curve need no mouse, and focus stays where it was."""
    page = open_page(alone(server))
    button = page.get_by_role("button", name="nan", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="nan", exact=True).get_attribute("aria-expanded") == "true"
    assert page.evaluate("document.activeElement.textContent") == "nan"
    page.get_by_role("button", name="Points on disk").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("columnheader", name="Points on disk").get_attribute("aria-sort") == "ascending"
    page.get_by_label("Runs", exact=True).fill("soun")
    assert page.locator("tbody tr:not(.detail)").count() == 1
    page.get_by_label("Runs", exact=True).fill("")
    page.get_by_label("Verdict").select_option("damaged")
    assert page.locator("tbody tr:not(.detail)").count() == 1


def test_contrast(server, open_page):
    """Text has a contrast of at least 4.5 to 1 in light and in dark."""
    page = open_page(alone(server, "damaged"))
    page.wait_for_selector("svg.chart")
    for dark in (False, True):
        page.evaluate(f"document.documentElement.classList.toggle('dark', {str(dark).lower()})")
        pairs = page.evaluate(
            """() => [...document.querySelectorAll('p, th button, td, .verdict, button, strong, li')]
              .filter(each => each.textContent.trim() && each.getClientRects().length).map(each => {
                let behind = each;
                const none = 'rgba(0, 0, 0, 0)';
                while (getComputedStyle(behind).backgroundColor === none && behind.parentElement)
                  behind = behind.parentElement;
                return [getComputedStyle(each).color, getComputedStyle(behind).backgroundColor];
              })"""
        )
        assert pairs
        assert min(_contrast(*pair) for pair in pairs) >= 4.5


def _contrast(one, other):
    def light(colour):
        parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
        linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_a_link_to_a_run_on_a_phone(server, open_page):
    """The address of a run opens it, and on a phone's width nothing is cut off to the side."""
    page = open_page(alone(server, "damaged"), viewport={"width": 360, "height": 700})
    page.wait_for_selector("svg.chart")
    assert "SW602" in page.locator("tr.detail").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.get_by_role("link", name="Link to this run").get_attribute("href").endswith("#run=damaged")


def test_the_hint_is_copied(server, open_page):
    """The button beside a hint puts it on the clipboard."""
    page = open_page(alone(server, "nan"), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the hint").first.click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("The gap in the chart")


def test_an_empty_directory(tmp_path, open_page):
    """A mistyped directory: the tab is the one that TensorBoard opens, and names the sibling that was meant."""
    write(tmp_path / "logs" / "run", scalar(0, 1.0))
    with serve("--logdir=lgos", "--load_fast=false", cwd=tmp_path) as server:
        page = open_page(server.url)
        frame = page.frame_locator("iframe[src*='safewriter']")
        frame.get_by_text("There are no event files where TensorBoard looks.").wait_for(timeout=60_000)
        text = frame.locator("main").inner_text()
        assert f"A directory of a similar name has event files: {tmp_path / 'logs'}" in text
        assert f"TensorBoard was started in {tmp_path}" in text


def test_a_file_that_grows_and_one_that_is_given_up(tmp_path, open_page):
    """The page follows a file that grows; where zeros are filled in later and TensorBoard stays behind, it says so."""
    whole = [scalar(step, 1.0) for step in range(20)]
    tail = b"".join(whole[10:])
    path = write(tmp_path / "logs" / "zeros", *whole[:10], bytes(len(tail)))
    grows = write(tmp_path / "logs" / "grows", *whole[:5])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(IMPATIENT)
    found = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    }
    with serve(
        f"--logdir={tmp_path / 'logs'}", "--load_fast=false", "--reload_interval=1", environment=found
    ) as server:
        page = open_page(alone(server))
        row(page, "grows").get_by_role("cell").nth(5).get_by_text("4", exact=True).wait_for()
        server.audit(lambda answer: answer["by_run"].get("zeros", {}).get("held_step") == 9)
        with open(grows, "ab") as file:
            file.write(whole[5])
        with open(path, "r+b") as file:
            file.seek(-len(tail), os.SEEK_END)
            file.write(tail)
        row(page, "zeros").get_by_text("not shown").wait_for(timeout=60_000)
        assert row(page, "grows").get_by_role("cell").nth(5).inner_text() == "5"
        page.get_by_role("button", name="zeros", exact=True).click()
        page.wait_for_selector("svg[aria-label*='10 not loaded']")
        assert "Restart TensorBoard" in page.locator("tr.detail").inner_text()


def test_a_thousand_runs(tmp_path, open_page):
    """Of 1,000 runs a hundred rows are drawn at first, the rest as they come into sight; the filter finds the last."""
    for number in range(MANY):
        write(tmp_path / f"run-{number:04}", scalar(0, 1.0))
    with serve(f"--logdir={tmp_path}", "--load_fast=false", "--reload_interval=100") as server:
        server.audit(lambda answer: answer["state"] == "done" and len(answer["runs"]) == MANY)
        page = open_page(alone(server))
        page.get_by_text("1,000 runs, none with findings.").wait_for()
        assert page.locator("tbody tr").count() < MANY / 2
        page.keyboard.press("End")
        page.wait_for_function("document.querySelectorAll('tbody tr').length > 100")
        page.get_by_label("Runs", exact=True).fill("run-0999")
        row(page, "run-0999").wait_for()
        assert page.locator("tbody tr").count() == 1

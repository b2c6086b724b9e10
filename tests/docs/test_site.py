"""The site, built without a warning, and in a real browser: on a desk and on a phone, in light and in dark, offline."""

import functools
import http.server
import os
import re
import threading

import pytest

from safewriter.findings import CATALOGUE

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served, on this machine alone."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(browser, address):
    """Opens a page of the site; a request to anywhere else, a missing file or an error of a script fails the test."""
    contexts, wrong = [], []

    def open_at(path, size=DESK, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request", lambda request: request.url.startswith((address, "data:", "blob:")) or wrong.append(request.url)
        )
        page.on("response", lambda response: response.status < 400 or wrong.append(f"{response.status} {response.url}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert wrong == []


def files(site):
    """Each page of the site, by its path."""
    found = [
        os.path.relpath(os.path.join(directory, name), site)
        for directory, _, names in os.walk(site)
        for name in names
        if name.endswith(".html") and name != "404.html"
    ]
    return sorted(found)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_start_page_leads_to_each_code_in_one_click(open_page, size):
    """Each row of the tables has a link that is seen, to the page of its code, where the fixed program stands."""
    page = open_page("index.html", size)
    for code in (code for code in CATALOGUE if CATALOGUE[code].symptom is not None):
        link = page.locator(f".symptoms a[href='codes/{code}.html']").first
        link.scroll_into_view_if_needed()
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        link.click()
        page.wait_for_url(f"**/codes/{code}.html")
        assert page.locator("h1").first.inner_text().startswith(f"{code} {CATALOGUE[code].name}")
        assert page.get_by_text("What to change.").count() == 1
        assert page.get_by_text("It is not reported for:", exact=True).is_visible()
        page.go_back()
        page.wait_for_url("**/index.html")


def test_no_page_is_wider_than_a_phone(open_page, site):
    """On a phone's width nothing of any page has to be looked for at the side."""
    page = open_page("index.html", PHONE)
    wide = {}
    for path in files(site):
        page.goto(_beside(page, path))
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[path] = width
    assert wide == {}


def _beside(page, path):
    return re.match(r"https?://[^/]+/", page.url)[0] + path


def test_pictures_are_there(open_page, site):
    """Each picture of each page is loaded, has a size, and says in words what it shows."""
    page = open_page("index.html")
    seen = 0
    for path in files(site):
        if path.startswith("codes/"):
            continue
        page.goto(_beside(page, path))
        for image in page.locator("article img").all():
            seen += 1
            assert image.evaluate("image => image.decode().then(() => image.clientWidth)") > 300
            assert len(image.get_attribute("alt")) > 20
    assert seen >= 5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast(open_page, dark):
    """Text and links can be read: a contrast of at least 4.5 to 1 in light and in dark."""
    page = open_page("index.html", color_scheme="dark" if dark else "light")
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('article p, article td, article th, article a, article h1, article h2')]
          .filter(each => each.innerText && each.innerText.trim().length > 1 && !each.matches('.headerlink'))
          .map(each => {
            let behind = each;
            while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)' && behind.parentElement)
              behind = behind.parentElement;
            return [getComputedStyle(each).color, getComputedStyle(behind).backgroundColor];
          })"""
    )
    assert len(pairs) > 100
    assert min(_contrast(*pair) for pair in set(map(tuple, pairs))) >= 4.5
    light = _light(pairs[0][1])
    assert light < 0.2 if dark else light > 0.8


def _numbers(colour):
    return [float(each) for each in re.findall(r"[\d.]+", colour)]


def _light(colour):
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour):
    return [each / 255 for each in _numbers(colour)[:3]]


def _contrast(text, ground):
    """Of a text that may let its ground shine through."""
    share = [*_numbers(text), 1.0][3]
    mixed = [
        share * 255 * over + (1 - share) * 255 * under
        for over, under in zip(_channels(text), _channels(ground), strict=True)
    ]
    light = _light(f"rgb({', '.join(map(str, mixed))})")
    bright, dark = sorted((light, _light(ground)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_it_is_found_by_searching(open_page):
    """The search, which is part of the site, finds a code by what its page says."""
    page = open_page("index.html")
    page.keyboard.press("/")
    page.get_by_role("textbox", name="Search").press_sequentially("merged")
    page.locator(".md-search-result a[href*='codes/SW301.html']").first.wait_for()


def test_without_a_server(browser, site):
    """Opened from the disk, the start page is drawn and its links lead to files."""
    page = browser.new_page(viewport=DESK)
    wrong = []
    page.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or wrong.append(request.url))
    page.goto(site.joinpath("index.html").as_uri())
    page.locator(".symptoms a[href='codes/SW301.html']").first.click()
    page.wait_for_url("**/codes/SW301.html")
    assert "SW301" in page.locator("h1").first.inner_text()
    page.close()
    assert wrong == []


def test_each_link_of_the_built_site_leads_to_a_file(site):
    """Each address of the site's own, with its anchor, is there; what leads elsewhere is GitHub's or a project's."""
    pages = {path: (site / path).read_text(encoding="utf-8") for path in files(site)}
    anchors = {path: set(re.findall(r'\bid="?([^"\s>]+)', text)) for path, text in pages.items()}
    foreign = set()
    for path, text in pages.items():
        for link in re.findall(r'<a [^>]*?href="([^"]+)"', text):
            if re.match(r"\w+:", link):
                foreign.add(re.match(r"\w+:(//[^/]+)?", link)[0])
                continue
            target, _, anchor = link.partition("#")
            found = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            found = os.path.join(found, "index.html") if (site / found).is_dir() else found
            assert (site / found).exists(), (path, link)
            assert not anchor or found not in anchors or anchor in anchors[found] or anchor == "__codelineno", (
                path,
                link,
            )
    assert foreign <= {"https://github.com", "https://filesystem-spec.readthedocs.io", "https://squidfunk.github.io"}

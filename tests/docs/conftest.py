"""The tests here need what makes the site; .ci/run runs them where it is installed."""

import os
import shutil
import subprocess
import sys

import pytest
import shown

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session", autouse=True)
def docs_extra():
    pytest.importorskip("mkdocs", reason="the site is made with the docs extra, which is not installed here")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The directory of the built site; a warning fails the build."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", directory],
        cwd=shown.ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},  # what it says is of mkdocs' future, not of this site
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout, done.stdout
    return directory


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()

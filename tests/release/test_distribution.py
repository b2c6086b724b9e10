"""What is released: the wheel holds the package and nothing else, the source distribution what it takes to test it."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

import safewriter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "safewriter")
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "logs", "site", "*.egg-info")

pytest.importorskip("setuptools", minversion="77", reason="setuptools, which builds the package, is missing or old")
pytestmark = pytest.mark.skipif(not os.path.isdir(PACKAGE), reason="the source of the package is not here")


def build(what, source, target):
    """Builds a ``wheel`` or an ``sdist`` as pip would, with the setuptools that is here, and gives its path."""
    program = "import sys, setuptools.build_meta as backend; getattr(backend, 'build_' + sys.argv[1])(sys.argv[2])"
    done = subprocess.run(
        [sys.executable, "-c", program, what, str(target)], cwd=source, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (name,) = [name for name in os.listdir(target) if name.endswith(".whl" if what == "wheel" else ".tar.gz")]
    return os.path.join(target, name)


def below(directory):
    """The files of a directory as paths relative to the checkout, without what Python keeps of them."""
    return {
        os.path.relpath(os.path.join(place, name), ROOT).replace(os.sep, "/")
        for place, _, names in os.walk(os.path.join(ROOT, directory))
        for name in names
        if not name.endswith((".pyc", ".pyo"))
    }


def contents(wheel):
    """``{name: bytes}`` of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the source, for a build leaves files in it."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "checkout", ignore=LEFT_BEHIND)


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    return contents(build("wheel", checkout, tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def unpacked(checkout, tmp_path_factory):
    """The directory that the source distribution unpacks to."""
    place = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", checkout, place)) as archive:
        archive.extractall(place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return place / f"safewriter-{safewriter.__version__}"


def test_the_wheel_holds_the_package_alone(wheel):
    """Each file of the package is in the wheel, its data too, and besides nothing but what pip needs."""
    information = f"safewriter-{safewriter.__version__}.dist-info/"
    held = {name for name in wheel if not name.startswith(information)}
    assert held == below("safewriter")
    assert {
        "safewriter/py.typed",
        "safewriter/patching/child_site/sitecustomize.py",
        "safewriter/tab/static/index.js",
        "safewriter/tab/static/style.css",
    } <= held
    assert {f"{information}{name}" for name in ("METADATA", "RECORD", "entry_points.txt", "licenses/LICENSE")} <= set(
        wheel
    )


def test_the_source_distribution_holds_what_it_takes_to_test_it(unpacked):
    """Package, tests, examples, benchmarks and documentation are in it, and nothing that a test run leaves."""
    held = {
        os.path.relpath(os.path.join(place, name), unpacked).replace(os.sep, "/")
        for place, _, names in os.walk(unpacked)
        for name in names
    }
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml", "setup.cfg"}
    for directory in ("safewriter", "tests", "examples", "benchmarks", "fuzz", "docs"):
        wanted |= below(directory)
    assert wanted - held == set()
    assert [name for name in held if "__pycache__" in name or name.startswith(".")] == []


def test_both_give_the_same_wheel(wheel, unpacked, tmp_path):
    """A wheel that is built from the source distribution is that of the checkout, byte for byte."""
    assert contents(build("wheel", unpacked, tmp_path)) == wheel


def test_the_version_has_its_section_in_the_changelog():
    """The changelog has a dated section for the version, of entries of one short line, and above it the next one's."""
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        sections = re.split(r"^## ", file.read(), flags=re.MULTILINE)[1:]
    assert sections[0].startswith("[Unreleased]\n")
    (section,) = [each for each in sections if each.startswith(f"[{safewriter.__version__}]")]
    assert re.match(r"\[[\d.]+\] - \d{4}-\d\d-\d\d\n", section)
    entries = [line for line in section.splitlines()[1:] if line and not line.startswith("### ")]
    assert entries
    assert [line for line in entries if not line.startswith("- ") or len(line) > 120] == []

"""What type checkers see of the package: ``uses.py``, by mypy and by pyright, at their strictest."""

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

import safewriter

USES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uses.py")
CHECKERS = ("mypy", "pyright")

for module in ("mypy", "basedpyright"):
    pytest.importorskip(module, reason=f"{module}, of the extra 'dev', is not installed here")


@pytest.fixture
def project(tmp_path):
    """A user's directory, and an environment with the package in it and nothing else: not even TensorFlow."""
    return Project(tmp_path)


class Project:
    """The directory, and what a checker says of ``uses.py`` in it.

    Attributes:
        package: Where the package is installed.
    """

    def __init__(self, directory):
        self._directory = directory
        environment = directory / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        scheme, base = "nt" if os.name == "nt" else "posix_prefix", {"base": environment, "platbase": environment}
        self._python = os.path.join(sysconfig.get_path("scripts", scheme, base), "python")
        self.package = os.path.join(sysconfig.get_path("purelib", scheme, base), "safewriter")
        package = os.path.dirname(os.path.abspath(safewriter.__file__))
        shutil.copytree(package, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(USES, directory)

    def check(self, checker):
        """Exit code and output."""
        if checker == "mypy":
            options = ["--strict", "--cache-dir", os.devnull, "--python-executable", self._python]
            command = ["mypy", *options, "uses.py"]
        else:  # its fork on PyPI, which brings all that it needs, with pyright's own rules
            settings = {
                "include": ["uses.py"],
                "typeCheckingMode": "strict",
                "reportUnnecessaryTypeIgnoreComment": "error",
            }
            (self._directory / "pyrightconfig.json").write_text(json.dumps(settings))
            command = ["basedpyright", "--pythonpath", self._python]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self._directory, env=environment, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_typical_uses_have_the_types_that_they_should(project, checker):
    """Each result has its type, and each mistake is one."""
    code, output = project.check(checker)
    assert code == 0, output


@pytest.mark.parametrize(
    ("file", "before", "after", "checker"),
    [
        ("writer.py", "def report(self) -> WriterReport:", "def report(self) -> Any:", "mypy"),
        ("writer.py", "def report(self) -> WriterReport:", "def report(self) -> Any:", "pyright"),
        ("__init__.py", "if not TYPE_CHECKING:", "if True:", "mypy"),
        ("__init__.py", "if not TYPE_CHECKING:", "if True:", "pyright"),
        ("py.typed", None, None, "mypy"),  # pyright reads the types of each package, marked or not
    ],
)
def test_what_is_any_by_accident_is_seen(project, file, before, after, checker):
    """The test above can fail: a method without a type, names that are looked up, a package that isn't marked typed."""
    path = os.path.join(project.package, file)
    if before is None:
        os.unlink(path)
    else:
        with open(path, encoding="utf-8") as source:
            text = source.read()
        assert before in text
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(before, after))
    assert project.check(checker)[0] == 1


def test_each_public_name_is_used():
    """No public name is left out of the typical uses."""
    with open(USES, encoding="utf-8") as file:
        used = {node.id for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Name)}
    assert set(safewriter.__all__) - used == set()

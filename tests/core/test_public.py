"""The public surface, what an import loads, and who imports whom."""

import ast
import importlib.util
import os
import re
import subprocess
import sys

import pytest
import sizes

import safewriter

PACKAGE = os.path.dirname(os.path.abspath(safewriter.__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def modules():
    """``{"safewriter.findings.desk": path}`` of each module of the package."""
    found = {}
    for directory, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                parts = os.path.relpath(path, os.path.dirname(PACKAGE))[:-3].split(os.sep)
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path):
    """What a module imports, wherever in it: top-level names, and places of safewriter as ``safewriter.checks``."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= full if node.module == "safewriter" else {node.module}
    return {".".join(name.split(".")[:2]) if name.startswith("safewriter") else name.split(".")[0] for name in names}


def house():
    """The table of CONTRIBUTING.md: ``{place: (places it may import, packages it may import)}``."""
    with open(os.path.join(ROOT, "CONTRIBUTING.md"), encoding="utf-8") as file:
        text = file.read()
    table = {}
    for row in re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE):
        _, below, elsewhere = row[1].split("|")
        named = set(re.findall(r"`(\w+)`", below))
        table[row[0]] = (set(table) if "everything above" in below else named, set(re.findall(r"`(\w+)`", elsewhere)))
    return table


def place(module):
    """The place of the house that a module belongs to: ``checks`` of ``safewriter.checks.values``."""
    return module.split(".")[1]


def forbidden(module, path):
    """What a module imports against the table."""
    below, elsewhere = house()[place(module)]
    allowed = {f"safewriter.{name}" for name in below | {place(module)}} | elsewhere | set(sys.stdlib_module_names)
    allowed.add("safewriter")  # the map itself, which holds the version
    return sorted(imports(path) - allowed)


def child(program, *options):
    """What a fresh interpreter prints; its exit code must be 0."""
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def loaded_by(statement):
    """Which of the packages that ``import safewriter`` must not load are loaded after a statement."""
    heavy = ("tensorflow", "google.protobuf", "google_crc32c", "numpy", "rich", "tensorboard")
    return child(f"{statement}\nimport sys\nprint(*[name for name in {heavy!r} if name in sys.modules])")


def test_the_public_names_are_these():
    """No name is public by accident, and none is missing."""
    assert set(safewriter.__all__) == {
        "Audit",
        "AuditReport",
        "DistributionWarning",
        "EventFileWarning",
        "Finding",
        "GraphWarning",
        "InternalWarning",
        "LandingWarning",
        "LogdirWarning",
        "SafeFileWriter",
        "SafeWriterError",
        "SafeWriterWarning",
        "TagStats",
        "ValuesWarning",
        "WriterReport",
        "audit_file",
        "audit_logdir",
        "create_file_writer",
        "install",
        "uninstall",
    }
    assert set(safewriter.__all__) <= set(dir(safewriter))


@pytest.mark.parametrize("name", safewriter.__all__)
def test_each_public_name_leads_somewhere(name):
    """Each public name is found at its home and remembered."""
    if name in ("SafeFileWriter", "create_file_writer"):
        pytest.importorskip("tensorflow.compat.v1", reason="the writer needs TensorFlow, which is not installed here")
    value = getattr(safewriter, name)
    assert value.__name__ == name
    assert vars(safewriter)[name] is value


def test_a_name_that_is_not_there_is_an_attribute_error():
    """A mistyped name is reported as Python reports it, and ``hasattr`` works."""
    assert not hasattr(safewriter, "SafeFilewriter")
    with pytest.raises(ImportError, match="SafeFilewriter"):
        from safewriter import SafeFilewriter  # noqa: F401


def test_the_version_is_the_installed_one():
    """What is installed says the same version as the source."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        assert version("safewriter") == safewriter.__version__
    except PackageNotFoundError:
        pytest.skip("safewriter is not installed here, but found by its path")


def test_no_directory_of_the_tests_is_taken_for_tensorflow():
    """Where TensorFlow is not installed, nothing else has its name."""
    spec = importlib.util.find_spec("tensorflow")
    assert spec is None or spec.origin is not None, spec


def test_import_safewriter_loads_nothing_heavy():
    """``import safewriter`` loads neither TensorFlow nor protobuf nor anything else that is slow."""
    assert loaded_by("import safewriter") == []


def test_what_loads_something_heavy_is_seen():
    """The test above can fail: what does load protobuf is seen by the same look."""
    assert "google.protobuf" in loaded_by("import safewriter.eventfile.messages")


def test_the_writer_loads_tensorflow(tf):
    """And so is TensorFlow, which comes with the writer only."""
    assert {"tensorflow", "google.protobuf"} <= set(loaded_by("import safewriter; safewriter.SafeFileWriter"))


def test_no_module_imports_upwards():
    """Each module imports what CONTRIBUTING.md's table allows its place, and nothing else."""
    found = {name: path for name, path in modules().items() if name != "safewriter"}
    assert {place(name) for name in found} == set(house())
    assert {name: forbidden(name, path) for name, path in found.items() if forbidden(name, path)} == {}


def test_the_table_itself_has_no_circle():
    """A place may import only places that stand above it in the table."""
    seen = set()
    for name, (below, _) in house().items():
        assert below <= seen, name
        seen.add(name)


def test_an_import_upwards_is_seen(tmp_path):
    """The test of the layers can fail: a judge that imports TensorFlow or the writer is reported."""
    path = tmp_path / "logdir.py"
    path.write_text("import tensorflow as tf\nfrom safewriter.writer import SafeFileWriter\nimport os\n")
    assert forbidden("safewriter.checks.logdir", path) == ["safewriter.writer", "tensorflow"]


#: Classes that are still to be divided. Whoever divides one takes it from here; none is added.
def test_no_class_is_longer_than_300_lines():
    """A class that nobody can keep in mind is divided."""
    assert [name for name, lines in sizes.classes() if lines > 300] == []


@pytest.mark.parametrize("needs_tensorflow", [False, True])
def test_each_module_can_be_imported_first(needs_tensorflow):
    """Each module imports by itself, before any other and with warnings as errors; most without TensorFlow."""
    if needs_tensorflow:
        pytest.importorskip("tensorflow.compat.v1", reason="TensorFlow is not installed here")
    heavy = {name for name, (_, elsewhere) in house().items() if "tensorflow" in elsewhere}
    while True:  # and what stands on them
        more = {name for name, (below, _) in house().items() if below & heavy} - heavy
        if not more:
            break
        heavy |= more
    chosen = [name for name in modules() if name != "safewriter" and (place(name) in heavy) == needs_tensorflow]
    assert chosen
    prelude = "import tensorflow" if needs_tensorflow else "sys.modules['tensorflow'] = None"
    program = f"""
import importlib, sys, warnings
{prelude}
warnings.simplefilter("error")
# Python 3.12 says this of the C types of protobuf 4, which TensorFlow 2.16 needs.
warnings.filterwarnings("ignore", message="Type google._upb", category=DeprecationWarning)
for name in {chosen!r}:
    for loaded in [loaded for loaded in sys.modules if loaded.startswith("safewriter")]:
        del sys.modules[loaded]
    importlib.import_module(name)
print("done")
"""
    assert child(program)[-1] == "done"


def test_without_tensorflow_the_writer_says_so():
    """Where TensorFlow is missing, ``SafeFileWriter`` raises an ImportError that names the extra."""
    program = """
import sys
sys.modules["tensorflow"] = None
import safewriter
try:
    safewriter.SafeFileWriter
except ImportError as error:
    print(error)
"""
    assert "safewriter[tensorflow]" in " ".join(child(program))

"""Runs at the start of each Python process of ``safewriter run``: Python imports a module of this name by itself."""

import importlib
import os
import sys


def _step_aside(here: str) -> None:
    """Leaves ``sys.path`` as the script would have found it, and lets another ``sitecustomize`` have its turn."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    ours = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")  # another one
    except ImportError:
        sys.modules["sitecustomize"] = ours


def _begin(here: str) -> None:
    package = os.path.dirname(os.path.dirname(here))
    try:
        import safewriter
    except ImportError:  # it was on the path of the command only
        sys.path.append(os.path.dirname(package))
        import safewriter
    if os.path.dirname(os.path.abspath(safewriter.__file__)) == package:
        from safewriter.patching.child import begin

        begin()


if __name__ == "sitecustomize":
    _here = os.path.dirname(os.path.abspath(__file__))
    _step_aside(_here)
    try:
        _begin(_here)
    except Exception:  # noqa: BLE001 - whatever it is, the script runs all the same
        sys.stderr.write("safewriter run: a Python process could not be watched\n")

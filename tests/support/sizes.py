"""How large the package is: ``python tests/support/sizes.py`` prints its lines, and the largest modules and classes."""

import ast
import os
from typing import NamedTuple

import safewriter

PACKAGE = os.path.dirname(os.path.abspath(safewriter.__file__))


class Size(NamedTuple):
    name: str
    lines: int


def sources():
    """``(name, text)`` of each module, the catalogue's left out: its entries are prose and programs."""
    for directory, _, names in os.walk(PACKAGE):
        for name in names:
            path = os.path.join(directory, name)
            if name.endswith(".py") and os.path.basename(directory) != "catalogue":
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, PACKAGE), file.read()


def modules():
    """Each module with its lines, the largest first."""
    found = [Size(name, text.count("\n")) for name, text in sources()]
    return sorted(found, key=lambda size: -size.lines)


def classes():
    """Each class with its lines, the largest first."""
    found = [
        Size(f"{name}: {node.name}", node.end_lineno - node.lineno + 1)
        for name, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    ]
    return sorted(found, key=lambda size: -size.lines)


if __name__ == "__main__":
    print(sum(size.lines for size in modules()), "lines without the catalogue")
    for size in (*modules()[:10], *classes()[:10]):
        print(f"{size.lines:6} {size.name}")

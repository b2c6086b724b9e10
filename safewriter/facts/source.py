"""What the user's source says of a line: the names that it gives to the merges it builds."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator

_MERGES = frozenset(("merge", "merge_all", "MergeSummary", "merge_summary", "merge_all_summaries"))
_LONGEST = 40  # characters of a name that a hint repeats


def merge_names(filename: str, line: int) -> tuple[str, ...]:
    """The name that each call of ``merge`` or ``merge_all`` on a line gets, as they run; empty where it gets none.

    A line may hold several statements. ``self.summaries`` is a name too.
    """
    found = [(end, name) for first, end, name in _merges(filename) if first <= line <= end[0]]
    return tuple(name for _, name in sorted(found))  # a call within another ends, and runs, before it


@functools.lru_cache(maxsize=16)
def _merges(filename: str) -> tuple[tuple[int, tuple[int, int], str], ...]:
    """The calls in a file: the first line of each, where it ends, and its name."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):  # a cell of a notebook with commands that are not Python, say
        return ()
    names = {id(value): name for node in ast.walk(tree) for value, name in _assigned(node)}
    return tuple(
        (node.lineno, (node.end_lineno or node.lineno, node.end_col_offset or 0), names.get(id(node), ""))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node.func) in _MERGES
    )


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _assigned(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Each value that a node gives a name, with the name."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        yield from _pairs(node.target, node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for each, its_value in zip(target.elts, value.elts):  # noqa: B905 - a starred one ends what can be matched
            if isinstance(each, ast.Starred):
                return
            yield from _pairs(each, its_value)
    elif isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) and len(name := ast.unparse(target)) <= _LONGEST:
        yield value, name

"""SW1xx: the log directory."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW101",
        name="logdir-invalid",
        kind=Kind.ERROR,
        when="None, empty, NUL inside, not a path (bytes and PathLike are fine and mean what they say)",
    ),
    Code(
        code="SW102",
        name="logdir-not-a-directory",
        kind=Kind.ERROR,
        when="It, or a parent, is a file",
    ),
    Code(
        code="SW103",
        name="logdir-not-writable",
        kind=Kind.ERROR,
        when="The event file can't be created there: permissions, read-only, full, no descriptors, path too long; the errno is named",
    ),
    Code(
        code="SW104",
        name="logdir-literal",
        kind=Kind.WARNING,
        when="An unexpanded ``~``, ``$VAR``, ``%VAR%``, a stray quote or blank at an end: the directory will really be called so",
    ),
    Code(
        code="SW105",
        name="filesystem-unknown",
        kind=Kind.ERROR,
        when="``s3://``, ``gs://``… without the plug-in that provides it; names the package",
    ),
    Code(
        code="SW106",
        name="disk-almost-full",
        kind=Kind.WARNING,
        when="Less than 100 MB free at construction",
    ),
    Code(
        code="SW107",
        name="logdir-holds-earlier-run",
        kind=Kind.WARNING,
        when="Events of an earlier run reach step N and this run writes a tag at a step ≤ N: TensorBoard will hide or zigzag one of them",
    ),
)

"""SW101 to SW106: is the log directory what the program thinks it is, and can events land there?"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass

from safewriter.checks.errnos import describe, errno_name, hint_for
from safewriter.findings import Finding

ALMOST_FULL = 100 * 1000 * 1000  # bytes

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # one letter would be a Windows drive
_CUT_SCHEME = re.compile(r"(s3|gs|hdfs|ram|https?|az|abfss?):/[^/]")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w*%")
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"
_PLUGINS = dict.fromkeys(("s3", "hdfs", "viewfs", "har", "az", "http", "https", "oss"), "tensorflow-io")
_PLUGINS["gs"] = "tensorflow-io-gcs-filesystem"


def scheme_of(logdir: str) -> str:
    """``gs`` of ``gs://bucket/logs``; empty for a local path."""
    match = _SCHEME.match(logdir)
    return match[1].lower() if match and match[1].lower() != "file" else ""


def judge_given(given: object) -> list[Finding]:
    """SW101: what was passed can't mean a directory. ``str``, ``bytes`` and path objects can."""
    raises: type[Exception] = ValueError
    if not isinstance(given, (str, bytes, os.PathLike)):
        raises = TypeError
        problem = f"The log directory is {'None' if given is None else f'a {type(given).__name__}'}, not a path."
        if not (hasattr(given, "op") or hasattr(given, "dtype")):  # a tensor
            problem += f" FileWriter would write into a directory called {str(given)!r}."
        hint = "Pass a path, such as `SafeFileWriter('logs/train')`."
        if given is None:
            hint = "The variable or flag that should hold the path was never set. " + hint
    elif not (given := os.fsdecode(given)):
        problem = "The log directory is empty. FileWriter would write into the working directory."
        hint = "Pass a directory of this run's own; for the working directory, pass '.'."
    elif "\0" in given:
        problem = f"The log directory {given!r} has a NUL character in it, which no file system allows."
        hint = "Look at how the path is put together."
    else:
        return []
    return [Finding("SW101", problem, hint, subject="logdir", data={"given": repr(given)[:200]}, raises=raises)]


def judge_literal(text: str) -> list[Finding]:
    """SW104: characters that a shell would have replaced stand in the path, and will stand in the directory's name.

    A directory that is called so on purpose looks like a mistake too: ``ignore`` SW104 there.
    """
    problems = []
    if text.startswith("~"):
        problems.append((f"begins with `~`, which stays a `~`: {os.path.abspath(text)}", "os.path.expanduser(logdir)"))
    if variable := _VARIABLE.search(text):
        problems.append((f"holds `{variable[0]}`, which nobody replaces", "os.path.expandvars(logdir)"))
    ends = [name for name, char in (("begins", text[0]), ("ends", text[-1])) if char in _QUOTES]
    if ends:
        problems.append((f"{' and '.join(ends)} with a quotation mark", "logdir.strip('\"\\'')"))
    if text != text.strip():
        problems.append(("begins or ends with a blank", "logdir.strip()"))
    if match := _CUT_SCHEME.match(text):
        problems.append(
            (
                f"looks like a URL that lost a slash (`pathlib` makes `{match[1]}:/` of `{match[1]}://`)",
                "a str, not a Path, for remote directories",
            )
        )
    if not problems:
        return []
    what = "; it ".join(problem for problem, _ in problems)
    fixes = ", ".join(f"`{fix}`" if "(" in fix else fix for _, fix in problems)
    return [
        Finding(
            "SW104",
            f"The log directory {text!r} {what}. The directory will really be called so.",
            f"Use {fixes}, or ignore SW104 if that is its name.",
            path=text,
            data={"problems": [problem for problem, _ in problems]},
        )
    ]


def judge_scheme(text: str, registered: frozenset[str]) -> list[Finding]:
    """SW105: no file system of TensorFlow's, which has one for each scheme that is registered, answers for this one."""
    scheme = scheme_of(text)
    if not scheme or scheme in registered:
        return []
    package = _PLUGINS.get(scheme)
    hint = (
        f"`pip install {package}` and `import {package.replace('-', '_')}` before the writer is "
        "created, or use a local directory."
        if package
        else f"Use a local directory, or install and import the package that provides {scheme}://."
    )
    return [
        Finding(
            "SW105",
            f"TensorFlow has no file system for {scheme}:// here, so {text} can't be written to.",
            hint,
            path=text,
            data={"scheme": scheme, "package": package, "registered": sorted(filter(None, registered))},
            raises=OSError,
        )
    ]


@dataclass(frozen=True)
class Obstacle:
    """The innermost part of a path that exists, where events were to land.

    Attributes:
        path: That part.
        is_directory: Whether it is a directory.
        owner: Its owner, ``name (uid 0)``.
        mode: Its permissions, ``drwxr-xr-x``.
        us: Who this process is, ``name (uid 1000)``.
    """

    path: str
    is_directory: bool
    owner: str = "unknown"
    mode: str = "unknown"
    us: str = "unknown"


def judge_failure(logdir: str, error: OSError, obstacle: Obstacle | None) -> Finding:
    """SW102 or SW103: the event file could not be created in the log directory.

    Args:
        logdir: The log directory, absolute.
        error: What the system said.
        obstacle: What stands in the way; None where it can't be looked at (remote).
    """
    if obstacle is not None and not obstacle.is_directory:
        which = "is a file" if obstacle.path == logdir else f"can't be made, because {obstacle.path} is a file"
        return Finding(
            "SW102",
            f"The log directory {logdir} {which}, not a directory.",
            "Choose another log directory, or move that file away.",
            path=logdir,
            data={"errno": errno.ENOTDIR, "errno_name": "ENOTDIR", "in_the_way": obstacle.path},
        )
    hint = hint_for(error, "Choose another log directory, or fix the storage behind it.")
    if error.errno == errno.EACCES:
        place = obstacle.path if obstacle is not None else logdir
        hint = f"`chmod u+rwx {place}` as its owner, or choose a directory that this user may write to."
    elif error.errno == errno.ENAMETOOLONG:
        hint = f"The path is too long ({len(os.fsencode(logdir))} bytes): shorten the name of the run."
    message = f"The event file can't be created in {logdir}: {describe(error)}."
    data = {"errno": error.errno, "errno_name": errno_name(error)}
    if obstacle is not None:
        where = "It" if obstacle.path == logdir else f"The directory in the way, {obstacle.path},"
        message += f" {where} belongs to {obstacle.owner}, mode {obstacle.mode}; this process is {obstacle.us}."
        data |= {"in_the_way": obstacle.path, "owner": obstacle.owner, "mode": obstacle.mode, "us": obstacle.us}
    return Finding("SW103", message, hint, path=logdir, data=data, raises=OSError if error.errno is None else None)


def judge_free_space(logdir: str, free: int) -> list[Finding]:
    """SW106: so few bytes are free that the disk may be full before the run is over."""
    if free >= ALMOST_FULL:
        return []
    return [
        Finding(
            "SW106",
            f"Only {free / 1e6:.0f} MB are free on the disk of {logdir}. When it is full, events can't be written.",
            "Free some space before the run, or choose a directory on another disk.",
            path=logdir,
            data={"free_bytes": free},
        )
    ]

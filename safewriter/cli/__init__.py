"""The command: ``safewriter run``, ``safewriter audit``, ``safewriter repair``, ``safewriter explain``.

Exit codes: 0 nothing found, 1 findings, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from safewriter.cli.text import (
    CLEAN,
    FINDINGS,
    INTERRUPTED,
    WRONG_USE,
    WrongUseError,
    codes_argument,
    lines_of,
    shown,
    total,
)
from safewriter.findings import CATALOGUE, Finding

if TYPE_CHECKING:
    from safewriter.audit import AuditReport

_POINTS = 32  # of each scalar, for its sparkline
_LISTED = 5  # damaged places of a file that are listed beneath it


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments, by default those of the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names in an encoding that the terminal lacks
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except WrongUseError as error:
        print(f"safewriter: {error}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDINGS
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    from safewriter.cli import run

    parser = argparse.ArgumentParser(
        prog="safewriter", description="Find out why TensorBoard stays empty, and repair event files."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="{run,audit,repair,explain}")
    run.arguments(commands.add_parser("run", help="run a script and report what became of its summaries"))
    _audit_arguments(commands.add_parser("audit", help="say what is wrong with the event files in a directory"))
    _repair_arguments(commands.add_parser("repair", help="write clean copies of damaged event files"))
    _explain_arguments(commands.add_parser("explain", help="say what a code means and what to do"))
    return parser


def _audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads every event file in the directories and below, as TensorBoard does, and says what is wrong with them. "
        "Exit code: 0 nothing, 1 findings, 2 wrong use, 130 interrupted (what was read so far is reported)."
    )
    parser.add_argument("logdirs", nargs="+", metavar="LOGDIR", help="a directory, an event file, or a URL for fsspec")
    parser.add_argument("--json", action="store_true", help="print the report as JSON (schema: docs/audit.md)")
    parser.add_argument("--no-hints", action="store_true", help="leave out what to change")
    parser.add_argument(
        "--select",
        type=codes_argument,
        action="append",
        metavar="CODES",
        help="only these codes, names or prefixes: SW4,SW602",
    )
    parser.add_argument("--ignore", type=codes_argument, action="append", metavar="CODES", help="all but these")
    parser.add_argument(
        "--follow", action="store_true", help="go on as the files grow, one line for each change, until Ctrl-C"
    )
    parser.add_argument(
        "--interval",
        type=_number(float, 0.1, 86400, "seconds"),
        default=2.0,
        metavar="SECONDS",
        help="between two looks of --follow; 2 by default",
    )
    parser.add_argument(
        "--jobs",
        type=_number(int, 1, 1024, "processes"),
        default=1,
        metavar="N",
        help="read with N processes, a run each",
    )
    parser.set_defaults(run=_audit)


def _repair_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes, for each file, a copy with every event that can be saved. The files themselves are not touched. "
        "Exit code: 0 all copies are written, 1 a file had nothing to save or can't be read, 2 wrong use."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="an event file")
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="the directory for the copies; files of several directories are kept apart below it",
    )
    parser.set_defaults(run=_repair)


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the entry of a code: when it is reported, what is lost, what to change, with an example."
    )
    parser.add_argument(
        "codes", nargs="+", type=codes_argument, metavar="CODE", help="a code, a name or a prefix: SW302, SW4"
    )
    parser.set_defaults(run=_explain)


def _number(kind: type[int] | type[float], low: float, high: float, what: str) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {what} from {low:g} to {high:g}")
        return value

    return number


# audit


def _audit(options: argparse.Namespace) -> int:
    from safewriter.audit import Audit

    codes = frozenset().union(*(options.select or [CATALOGUE.keys()])).difference(*(options.ignore or []))
    if options.follow and options.json:
        raise WrongUseError("--follow prints lines and --json one report: choose one of them")
    on_terminal = sys.stdout.isatty() and not options.json and not options.follow
    try:
        audit = Audit(options.logdirs, options.jobs, _POINTS if on_terminal else 0)
    except FileNotFoundError as error:
        raise WrongUseError(f"{shown(str(error.filename))}: there is no such file or directory") from None
    except (OSError, ValueError, ImportError) as error:
        raise WrongUseError(str(error)) from None
    try:
        with _progress_bar(sys.stderr) as progress:
            report = audit.update(progress, final=not options.follow)
    except KeyboardInterrupt:
        report = audit.report()
    if options.follow and not report.interrupted:
        from safewriter.cli.follow import follow

        return follow(audit, codes, options.interval, not options.no_hints)
    findings = [finding for finding in report.findings if finding.code in codes]
    if options.json:
        _print_json(report, findings, not options.no_hints)
    elif on_terminal:
        _show(report, findings, not options.no_hints)
    else:
        for line in lines_of(findings, not options.no_hints):
            print(*(text for text, _ in line), sep="")
        print(total(report, len(findings)))
    if report.interrupted:
        return INTERRUPTED
    return FINDINGS if findings else CLEAN


@contextmanager
def _progress_bar(stream: IO[str]) -> Iterator[Callable[[int, int], None] | None]:
    if not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda read, known: bar.update(task, completed=read, total=known)


def _print_json(report: AuditReport, findings: list[Finding], hints: bool) -> None:
    import json

    content = report.as_dict(findings)
    if not hints:
        for finding in content["findings"]:
            del finding["hint"]
    json.dump(content, sys.stdout, indent=2, allow_nan=False, default=str)
    print()


def _show(report: AuditReport, findings: list[Finding], hints: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from safewriter.cli.charts import runs_table

    console = Console(file=sys.stdout)
    if report.files:
        console.print(runs_table(report, findings, console.width, (console.encoding or "").startswith("utf")))
    for line in lines_of(findings, hints):
        console.print(Text.assemble(*line))
    console.print(Text(total(report, len(findings)), style="bold red" if findings else "bold green"))


# repair


def _repair(options: argparse.Namespace) -> int:
    from safewriter.audit.repair import repair_file

    code = CLEAN
    if os.path.exists(options.output) and not os.path.isdir(options.output):
        raise WrongUseError(f"{shown(options.output)} is not a directory")
    for path, below in zip(options.files, _below(options.files), strict=True):
        try:
            repair = repair_file(path, os.path.join(options.output, below))
        except FileExistsError as error:
            raise WrongUseError(f"{shown(str(error.filename))} is there already; choose another --output") from None
        except (ImportError, ValueError) as error:
            raise WrongUseError(str(error)) from None
        except FileNotFoundError as error:
            raise WrongUseError(f"{shown(str(error.filename))}: there is no such file") from None
        except OSError as error:
            print(f"{shown(path)}: can't be repaired: {error.strerror or error}", file=sys.stderr)
            code = FINDINGS
            continue
        print(f"{shown(path)}: {shown(str(repair))}")
        for damage in repair.dropped[:_LISTED]:
            print(f"    dropped at byte {damage.offset:,}: {damage.reason}; {damage.length:,} bytes")
        if len(repair.dropped) > _LISTED:
            print(f"    and {len(repair.dropped) - _LISTED:,} places more")
        if repair.target is None:
            code = FINDINGS
    return code


def _below(files: Sequence[str]) -> list[str]:
    """For each file, the directory for its copy: files of several runs, which may share names, stay apart."""
    runs = [os.path.dirname(os.path.abspath(file)) for file in files]
    if len(set(runs)) == 1 or any("://" in file for file in files):
        return [""] * len(files)
    top = os.path.commonpath(runs)
    return [os.path.relpath(run, top) for run in runs]


# explain


def _explain(options: argparse.Namespace) -> int:
    from safewriter.findings.page import entry

    texts = [entry(CATALOGUE[code]) for code in sorted(frozenset().union(*options.codes))]
    if not sys.stdout.isatty():
        print("\n".join(texts), end="")
        return CLEAN
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=sys.stdout)
    for text in texts:
        console.print(Markdown(text))
    return CLEAN

"""Programs in processes of their own, and what they reported."""

import dataclasses
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

#: How Python shows a warning of ours, and how a traceback ends that one of our errors caused.
_WARNED = re.compile(r"^(?P<file>[^\s].*?):(?P<line>\d+): (?P<category>\w+Warning): (?P<text>(?P<code>SW\d{3}) .*)$")
_RAISED = re.compile(r"^safewriter\.(?P<category>SafeWriter\w+): (?P<text>(?P<code>SW\d{3}) .*)$")
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in ')

_NOBODY = 65534
#: All is imported first: the interpreter itself may lie where only root can read.
_AS_NOBODY = f"""
import encodings.ascii, linecache, os, runpy, sys, traceback
import safewriter.writer, safewriter.testing
os.setgroups([])
os.setgid({_NOBODY})
os.setuid({_NOBODY})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclasses.dataclass(frozen=True)
class Reported:
    """One finding as a user sees it.

    Attributes:
        code: Such as ``SW302``.
        file: Base name of the file that the warning points at, or of the innermost file that is neither safewriter's
            nor a framework's in the traceback of an error.
        line: The line there.
        category: Class of the warning or error.
        text: The message, with its hint and the line that created the writer.
    """

    code: str
    file: str
    line: int
    category: str
    text: str = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def reported(self):
        """The findings that the program showed, in order."""
        found = []
        frame = ("", "0")
        lines = self.stderr.splitlines()
        for number, line in enumerate(lines):
            if match := _FRAME.match(line):
                if "-packages" + os.sep not in match["file"] and os.sep + "safewriter" + os.sep not in match["file"]:
                    frame = (match["file"], match["line"])
                continue
            match = _WARNED.match(line) or _RAISED.match(line)
            if match is None:
                continue
            file, at = (match["file"], match["line"]) if "line" in match.groupdict() else frame
            more = [each for each in lines[number + 1 : number + 4] if each.startswith("  ")]
            text = "\n".join([match["text"], *more])
            found.append(Reported(match["code"], os.path.basename(file), int(at), match["category"], text))
        return found

    @property
    def codes(self):
        """The codes of these findings."""
        return [reported.code for reported in self.reported]


def import_path():
    """The ``PYTHONPATH`` with which a child, wherever it runs, imports the package that this process imports.

    Without it a child imports what is installed: nothing, or another checkout.
    """
    package = importlib.util.find_spec("safewriter").submodule_search_locations[0]
    directory = os.path.dirname(os.path.abspath(package))
    rest = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if directory in (sysconfig.get_path("purelib"), *rest[:1]):  # found without it, or named already
        return os.pathsep.join(rest)
    return os.pathsep.join([directory, *(path for path in rest if path != directory)])


def settings(env=None):
    """This process's environment without what would change what safewriter or Python reports, and with ``env``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAFEWRITER_", "PYTHONWARN"))}
    return {
        **kept,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": import_path(),
        **(env or {}),
    }


def _store(source, cwd):
    path = os.path.join(cwd, "program.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    os.chmod(path, 0o644)
    return path


def run_program(source, *arguments, cwd, flags=(), env=None, timeout=120, unprivileged=False, command=None):
    """Runs a program in a new interpreter.

    Args:
        source: Its text; it is stored as ``program.py`` in ``cwd``, unless ``command`` is given.
        arguments: What it finds in ``sys.argv[1:]``.
        cwd: Where it runs.
        flags: Of the interpreter, such as ``-W error``.
        env: Variables that are added to this process's.
        timeout: Seconds after which it is killed and the test fails.
        unprivileged: Run it as a user that owns nothing; ``cwd`` must be open to that user. Where the tests are
            not run by root, their own user is such a one.
        command: Run this as ``python -c`` instead of a file.

    Returns:
        Its ``Outcome``.
    """
    if command is not None:
        call = ["-c", command]
    else:
        path = _store(source, cwd)
        call = ["-c", _AS_NOBODY, path] if unprivileged and is_root() else [path]
    child = subprocess.run(
        [sys.executable, *flags, *call, *arguments],
        cwd=cwd,
        env=settings(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )
    return Outcome(child.returncode, child.stdout, child.stderr)


def is_root():
    """Whether this process may do everything, and so must give that up to see a permission denied."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


class ForkServer:
    """One process that has imported TensorFlow, and forks itself for each program; see ``forkserver.py``.

    Where a system can't fork, each program gets a new interpreter.
    """

    def __init__(self):
        self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._server is not None:
            self._server.stdin.close()
            self._server.wait(60)
            self._server.stdout.close()

    def run(
        self, source="", *arguments, cwd, path=None, env=None, timeout=60, unprivileged=False, strict_warnings=False
    ):
        """Runs a program.

        Args:
            source: Its text; it is stored as ``program.py`` in ``cwd``.
            arguments: What it finds in ``sys.argv[1:]``.
            cwd: Where it runs.
            path: The program's file instead of its text.
            env: Variables that are added to this process's.
            timeout: Seconds after which it is killed and the test fails.
            unprivileged: See ``run_program``.
            strict_warnings: As under ``python -W error::UserWarning``.

        Returns:
            Its ``Outcome``.
        """
        if not hasattr(os, "fork"):
            flags = ("-W", "error::UserWarning") if strict_warnings else ()
            if path is not None:
                with open(path, encoding="utf-8") as file:
                    source = file.read()
            return run_program(source, *arguments, cwd=cwd, env=env, flags=flags, timeout=2 * timeout)
        with tempfile.TemporaryDirectory() as directory:
            request = {
                "program": os.path.abspath(path or _store(source, cwd)),
                "arguments": arguments,
                "cwd": cwd,
                "env": env or {},
                "timeout": timeout,
                "unprivileged": unprivileged and is_root(),
                "strict_warnings": strict_warnings,
                "stdout": os.path.join(directory, "stdout"),
                "stderr": os.path.join(directory, "stderr"),
            }
            answer = self._ask(request)
            with open(request["stdout"], encoding="utf-8") as out, open(request["stderr"], encoding="utf-8") as err:
                outcome = Outcome(answer["exit_code"], out.read(), err.read())
        assert not answer["timed_out"], f"the program did not end within {timeout} s:\n{outcome.stderr}"
        return outcome

    def _ask(self, request):
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, os.path.join(HERE, "forkserver.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=settings(),
                encoding="utf-8",
            )
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        assert line, "the fork server is gone"
        return json.loads(line)

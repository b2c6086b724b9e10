"""What README.md and docs/ show, and where it comes from.

``python tests/support/shown.py [PAGE ...]`` writes those parts anew. A comment before a code block says how
it is held to the programs:

``<!-- program examples/x.py -->``            the file, line for line
``<!-- output of examples/x.py --flag -->``   what the program prints
``<!-- run in SCENE -->``                     commands (``sh``), commands with what they print (``console``), or a
                                              program (``python``): it runs in a directory of ``scenes.py``
``<!-- options of safewriter run -->``        a synopsis, whose options are those of ``--help``
``<!-- held by tests/x/test_y.py -->``        another test compares it

``<!-- table of codes -->`` and its like, up to ``<!-- end of table -->``, are made from the catalogue and from what was
measured.
"""

import dataclasses
import glob
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap

import scenes

from safewriter.findings import page

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
README = "README.md"

#: Columns at which the README folds what programs print, as a terminal does; the site folds by itself.
COLUMNS = 110

_BLOCK = re.compile(
    r"(?P<before>(?:<!-- (?P<held>(?:program|output of|run in|options of|held by) [^\n]*?) -->\n)?"
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n)(?P<text>.*?)(?P<after>^ *```$)",
    re.DOTALL | re.MULTILINE,
)
_TABLE = re.compile(r"(<!-- table of (?P<name>[\w ]+) -->\n)(?P<text>.*?)(<!-- end of table -->\n)", re.DOTALL)

#: Log lines of TensorFlow's C++ part, which no setting of ours silences before TensorFlow has read its own.
_TENSORFLOW_LOG = re.compile(
    r"^([IWEF]\d{4} |\d{4}-\d\d-\d\d \S+ [IWEF] |WARNING: All log messages before absl|To enable the following "
    r"instructions|WARNING:tensorflow:|This TensorFlow binary|Instructions for updating:|INFO:tensorflow:).*\n",
    re.MULTILINE,
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes:
        page: Its file, from the top of the checkout.
        line: Where it starts.
        info: What stands behind the fence: the language, and perhaps a name.
        text: What stands in it.
        held: The comment before it; None where there is none.
    """

    page: str
    line: int
    info: str
    text: str
    held: str | None

    @property
    def name(self):
        return f"{self.page}:{self.line}"

    def is_held_by(self, kind):
        return self.held is not None and self.held.startswith(kind + " ")

    @property
    def source(self):
        """What the comment names."""
        return re.sub(r"^(program|output of|run in|options of|held by) ", "", self.held)


def pages():
    """README and each page of the documentation that is not made as a whole, from the top of the checkout."""
    found = glob.glob(os.path.join(ROOT, "docs", "**", "*.md"), recursive=True)
    made = {os.path.join("docs", *path.split("/")) for path in page.pages()}
    return [README, *sorted({os.path.relpath(path, ROOT) for path in found} - made)]


def read(name=README):
    """The text of a file of the checkout."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def blocks(*names):
    """The code blocks of these pages, in order."""
    return [
        Block(name, text.count("\n", 0, match.end("before")), match["info"], match["text"], match["held"])
        for name in names or pages()
        for text in [read(name)]
        for match in _BLOCK.finditer(text)
    ]


def tables():
    """``(page, name, text)`` of each table that is made from elsewhere."""
    return [(name, match["name"], match["text"]) for name in pages() for match in _TABLE.finditer(read(name))]


def table(name):
    """A table as it ought to be."""
    if name == "symptoms":
        return "\n" + page.symptoms_table()
    if name == "faults":
        return faults_table()
    if name == "costs":
        return costs_table()
    if name == "reports":
        import reports

        return reports.table()
    raise KeyError(name)


#: The rows of docs/landing.md that the README shows.
FAULTS = (
    "SIGKILL after the last of 200 adds",
    "neither flushed nor closed, normal end",
    "a forked child writes",
    "the event file is removed",
    "the disk is full, once, and has space again",
    "8 writers in one second, at once",
    "4 processes that write into one directory",
    "`reopen()` in a loop",
)


def faults_table():
    """A selection of the table that ``benchmarks/faults.py`` has measured."""
    measured = read("docs/landing.md").splitlines()
    head = next(at for at, line in enumerate(measured) if line.startswith("| fault |"))
    first = itertools.takewhile(lambda line: line.startswith("|"), measured[head + 2 :])
    rows = {_cells(line)[0]: line for line in first}
    return "\n".join([*measured[head : head + 2], *(rows[name] for name in FAULTS)]) + "\n"


def costs_table():
    """The cost of one scalar, from the tables that the benchmarks have measured."""
    rows = [_cells(line) for line in _measured("docs/cost.md") if line.startswith("| one scalar")]
    parts = [f"| TF1: one scalar | {rows[0][1]} | {rows[0][2]} |"]
    for name, stock, _, ours, *_ in map(_cells, _measured("docs/tf2.md")):
        parts.append(f"| TF2: {name} | {stock} | {ours} times that |")
    return "\n".join(["| | TensorFlow's writer | ours |", "|---|---|---|", *parts]) + "\n"


def _measured(name):
    """The rows of the tables of a page that hold microseconds, behind the heading on cost."""
    return [line for line in read(name).partition("hat it costs\n")[2].splitlines() if re.match(r"\|.*\d µs \|", line)]


def _cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def settings(directory):
    """The environment of a user who has safewriter installed, in this directory."""
    ours = ("SAFEWRITER_", "PYTHONWARN", "CI", "BUILD_NUMBER")  # the latter two make pytest print in full
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join([os.path.dirname(sys.executable), kept.get("PATH", "")])
    more = {"TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(directory), "PYTHONIOENCODING": "utf-8", "PATH": path}
    return {**kept, **more, "TZ": "UTC", "HOME": str(directory), "NO_COLOR": "1"}


def run(command, directory):
    """Runs a command as a user does; gives its exit code and all that it prints."""
    child = subprocess.run(
        command,
        cwd=directory,
        env=settings(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=240,
        shell=isinstance(command, str),
        executable="/bin/bash" if isinstance(command, str) else None,
    )
    return child.returncode, child.stdout


def run_example(name, directory):
    """Runs an example, with arguments perhaps, in an empty directory; gives its exit code and all that it prints."""
    name, *arguments = name.split()
    return run([sys.executable, os.path.join(ROOT, name), *arguments], directory)


def normalised(output, directory):
    """An output without what differs per machine and is of no interest: log lines, directories, hosts and times."""
    output = _TENSORFLOW_LOG.sub("", output.replace("\r\n", "\n"))
    for path in (os.path.realpath(directory), str(directory)):
        output = re.sub(re.escape(path) + r"([\\/]tmp\w+)?", "/tmp/run", output)
    output = output.replace(ROOT + os.sep, "")
    output = re.sub(r"\bin \d+\.\d\ds\b", "in 0.42s", output)
    output = re.sub(r"(tfevents\.)(?!1000\.host)[\w.-]+", r"\1…", output)
    return "\n".join(line.rstrip() for line in output.replace("\\", "/").strip("\n").splitlines()) + "\n"


def folded(output, columns=COLUMNS):
    """An output as a terminal of so many columns shows it; a line goes on where its text began."""
    lines = []
    for line in output.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        wrapped = textwrap.wrap(
            line,
            columns,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        lines += wrapped if len(line) > columns else [line]
    return "\n".join(lines) + "\n"


def loosened(output):
    """An output without what may differ from run to run: a last digit of what a network learned, a thread, the user."""
    output = re.sub(r"\bThread-\d+\b", "Thread-…", output)
    output = re.sub(r"\b9\d% of the test digits", "9…% of the test digits", output)
    return re.sub(
        r"belongs to [^,]+, (mode \S+;) this process is [^.]+\.", r"belongs to …, \1 this process is ….", output
    )


def output_of(name):
    """What an example prints, as the pages show it. Raises where it fails."""
    # not below pytest's directory, which other users may not enter: one of the examples acts as another user
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        code, output = run_example(name, directory)
        assert code == 0, output
        return normalised(output, directory)


def follow(command, directory, grows):
    """What a command prints that goes on until Ctrl-C, while files grow."""
    with subprocess.Popen(
        ["/bin/bash", "-c", f"exec {command}"],
        cwd=directory,
        env={**settings(directory), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as child:
        lines = [child.stdout.readline()]
        for path, content, said in grows:
            with open(os.path.join(directory, path), "ab") as file:
                file.write(content)
            lines += [child.stdout.readline() for _ in range(said)]
        child.send_signal(signal.SIGINT)
        lines.append(child.stdout.read())
    return re.sub(r"^\d\d:\d\d:\d\d", "12:03:11", "".join(lines), flags=re.MULTILINE)


def run_console(block):
    """A block of commands with what each prints, as it ought to be."""
    with scenes.stage(block.source) as directory:
        parts = []
        for line in block.text.splitlines():
            if line.startswith("$ "):
                grows = scenes.SCENES[block.source].grows
                output = follow(line[2:], directory, grows) if grows else run(line[2:], directory)[1]
                parts.append(f"{line}\n{normalised(output, directory).lstrip(chr(10)) if output.strip() else ''}")
        return "".join(parts)


def run_commands(block):
    """Runs the commands or the program of a block; gives the exit code and the output."""
    with scenes.stage(block.source) as directory:
        if block.info == "sh":
            return run(f"set -e\n{block.text}", directory)
        path = os.path.join(directory, "shown.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(scenes.SCENES[block.source].prelude + block.text)
        return run([sys.executable, *(["-m", "pytest", "-q"] if "def test_" in block.text else []), path], directory)


def expected(block):
    """What a block ought to hold; None where running it is all."""
    if block.is_held_by("program"):
        return read(block.source)
    if block.is_held_by("output of"):
        text = output_of(block.source)
    elif block.is_held_by("run in") and block.info == "console":
        text = run_console(block)
    else:
        return None
    return folded(text) if block.page == README else text


def update(names):
    """Writes each part of these pages that comes from elsewhere."""
    for name in names or pages():
        found = iter(blocks(name))

        def renewed(match, found=found):
            text = expected(next(found))
            return match["before"] + (match["text"] if text is None else text) + match["after"]

        text = _BLOCK.sub(renewed, read(name))
        text = _TABLE.sub(lambda match: match[1] + table(match["name"]) + match[4], text)
        with open(os.path.join(ROOT, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


if __name__ == "__main__":
    update(sys.argv[1:])

"""What the README shows and where it comes from; ``python tests/support/readme.py`` writes those parts anew.

A part follows a comment: ``<!-- output of examples/x.py -->``, ``<!-- program examples/x.py -->`` or
``<!-- table of codes -->``.
"""

import os
import re
import subprocess
import sys
import tempfile

from safewriter.findings.page import table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
README = os.path.join(ROOT, "README.md")
_OUTPUT = re.compile(r"(<!-- output of (examples/\w+\.py) -->\n```text\n)(.*?)(```\n)", re.DOTALL)
_PROGRAM = re.compile(r"(<!-- program (examples/\w+\.py) -->\n```python\n)(.*?)(```\n)", re.DOTALL)
_TABLE = re.compile(r"(<!-- table of codes -->\n)(.*?)(<!-- end of the table -->\n)", re.DOTALL)

#: Log lines of TensorFlow's C++ part, which no setting of ours silences before TensorFlow has read its own.
_TENSORFLOW_LOG = re.compile(
    r"^([IWEF]\d{4} |\d{4}-\d\d-\d\d \S+ [IWEF] |WARNING: All log messages before absl|To enable the following "
    r"instructions|WARNING:tensorflow:|Instructions for updating:|INFO:tensorflow:).*\n",
    re.MULTILINE,
)


def read():
    """The text of the README."""
    with open(README, encoding="utf-8") as file:
        return file.read()


def code_blocks(language):
    """The code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(), re.DOTALL | re.MULTILINE)


def shown_outputs():
    """``{"examples/x.py": the output shown}``."""
    return {name: output for _, name, output, _ in _OUTPUT.findall(read())}


def shown_programs():
    """``{"examples/x.py": the program shown}``."""
    return {name: program for _, name, program, _ in _PROGRAM.findall(read())}


def shown_table():
    """The table of codes."""
    return _TABLE.search(read())[2]


def source(name):
    """The text of an example."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def run_example(name, directory):
    """Runs an example as a user does, in an empty directory; gives its exit code and all that it prints."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("SAFEWRITER_", "PYTHONWARN"))}
    child = subprocess.run(
        [sys.executable, os.path.join(ROOT, name)],
        cwd=directory,
        env={**settings, "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(directory), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=240,
    )
    return child.returncode, child.stdout


def normalised(output, directory):
    """An output without what differs per machine and is of no interest: log lines and directories."""
    output = _TENSORFLOW_LOG.sub("", output.replace("\r\n", "\n"))
    for path in (os.path.realpath(directory), str(directory)):
        output = re.sub(re.escape(path) + r"([\\/]tmp\w+)?", "/tmp/run", output)
    output = output.replace(ROOT + os.sep, "")
    output = re.sub(r"(tfevents\.)[\w.-]+", r"\1…", output)
    return "\n".join(line.rstrip() for line in output.replace("\\", "/").strip("\n").splitlines()) + "\n"


def loosened(output):
    """An output without what may differ from run to run: the last digit of what a network learned, the user."""
    output = re.sub(r"\b9\d% of the test digits", "9…% of the test digits", output)
    return re.sub(
        r"belongs to [^,]+, (mode \S+;) this process is [^.]+\.", r"belongs to …, \1 this process is ….", output
    )


def output_of(name):
    """What an example prints, as the README shows it. Raises where it fails."""
    # not below pytest's directory, which other users may not enter: one of the examples acts as another user
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        code, output = run_example(name, directory)
        assert code == 0, output
        return normalised(output, directory)


def update():
    """Writes each part of the README that comes from elsewhere."""
    text = _TABLE.sub(lambda part: part[1] + table("docs/codes.md") + part[3], read())
    text = _PROGRAM.sub(lambda part: part[1] + source(part[2]) + part[4], text)
    text = _OUTPUT.sub(lambda part: part[1] + output_of(part[2]) + part[4], text)
    with open(README, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


if __name__ == "__main__":
    update()

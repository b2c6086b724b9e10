"""How a program ended, seen from its exit hook: in whatever way it was started, and in workers too."""

import os
import subprocess
import sys

import pytest

HOOK = """
import atexit, sys
from safewriter.system import ending
atexit.register(lambda: print("broken off" if ending.broken_off() else "ended", flush=True))
"""
WATCH = f"{HOOK}ending.watch()\n"
WATCH_IN_A_THREAD = f"""{HOOK}
import threading
thread = threading.Thread(target=ending.watch)
thread.start()
thread.join()
"""

ENDED = {
    "end of the file": "x = 1",
    "sys.exit()": "sys.exit()",
    "sys.exit(0)": "sys.exit(0)",
    "sys.exit(None)": "sys.exit(None)",
    "sys.exit(main())": "def main():\n    pass\nsys.exit(main())",
    "deep": "def main():\n    sys.exit(0)\nmain()",
    "raise": "raise SystemExit",
    "raise()": "raise SystemExit()",
    "raise(0)": "raise SystemExit(0)",
    "raise(None)": "raise SystemExit(None)",
    "exit()": "exit()",
    "quit(0)": "quit(0)",
    "exit was caught": "try:\n    sys.exit(1)\nexcept SystemExit:\n    pass",
    "exit through finally": "try:\n    sys.exit(0)\nfinally:\n    x = 1",
    "a thread outlives it": "import threading, time\nthreading.Thread(target=time.sleep, args=(0.1,)).start()",
}
BROKEN_OFF = {
    "exception": "1 / 0",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "sys.exit(1)": "sys.exit(1)",
    "message": "sys.exit('no data')",
    "sys.exit(main())": "def main():\n    return 3\nsys.exit(main())",
    "raise(1)": "raise SystemExit(1)",
    "raise(message)": "raise SystemExit('no data')",
    "status that can't be known": "x = 0\nraise SystemExit(x)",
    "exit(1)": "exit(1)",
    "exit(code=2)": "exit(code=2)",
    "caught, then exit": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    sys.exit(1)",
    "exit was caught, then exception": "try:\n    sys.exit(0)\nexcept SystemExit:\n    pass\n1 / 0",
    "a thread outlives it": "import threading, time\nthreading.Thread(target=time.sleep, args=(0.1,)).start()\n1 / 0",
}
ENDINGS = [
    *[pytest.param(body, "ended", id=f"ended-{name}") for name, body in ENDED.items()],
    *[pytest.param(body, "broken off", id=f"broken-{name}") for name, body in BROKEN_OFF.items()],
]


def last_line(directory, *arguments):
    """The last line that a child prints."""
    child = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = child.stdout.splitlines()
    assert lines, child.stderr
    return lines[-1]


@pytest.mark.parametrize(("body", "expected"), ENDINGS)
def test_end_of_a_program(tmp_path, body, expected):
    """Each way to end is recognised, for a file, a module, a command, and a program that another one runs."""
    (tmp_path / "program.py").write_text(WATCH + body)
    (tmp_path / "runs_path.py").write_text("import runpy\nrunpy.run_path('program.py', run_name='__main__')")
    (tmp_path / "runs_module.py").write_text(
        "import runpy\nrunpy.run_module('program', run_name='__main__', alter_sys=True)"
    )
    starts = (["program.py"], ["-m", "program"], ["-c", WATCH + body], ["runs_path.py"], ["runs_module.py"])
    assert {start[0]: last_line(tmp_path, *start) for start in starts} == {start[0]: expected for start in starts}


@pytest.mark.parametrize(
    ("body", "expected"),
    [("x = 1", "ended"), ("sys.exit(0)", "ended"), ("sys.exit(1)", "broken off"), ("1 / 0", "broken off")],
)
def test_watched_from_a_thread(tmp_path, body, expected):
    """The main module is found where the first writer is created in a thread."""
    (tmp_path / "program.py").write_text(WATCH_IN_A_THREAD + body)
    assert last_line(tmp_path, "program.py") == expected


WORKER = """
import multiprocessing, sys, threading
from multiprocessing import util
from safewriter.system import ending

def report():
    print("broken off" if ending.broken_off() else "ended", flush=True)

def handled():
    try:
        1 / 0
    except ZeroDivisionError:
        pass

def work(last):
    ending.watch()
    util.Finalize(None, report, exitpriority=0)
    eval(last)

def start(method, last):
    worker = multiprocessing.get_context(method).Process(target=work, args=(last,))
    worker.start()
    worker.join()

if __name__ == "__main__":
    method, last, watched, thread = sys.argv[1:]
    if watched == "watched":
        ending.watch()
    try:
        raise KeyError
    except KeyError:  # what the parent handles is none of the worker's
        if thread == "thread":
            starter = threading.Thread(target=start, args=(method, last))
            starter.start()
            starter.join()
        else:
            start(method, last)
"""
WORKS = {
    "1 + 1": "ended",
    "handled()": "ended",
    "sys.exit(0)": "ended",
    "sys.exit(1)": "broken off",
    "1 / 0": "broken off",
}
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
METHODS = [method for method in ("fork", "spawn", "forkserver") if hasattr(os, "fork") or method == "spawn"]


@pytest.mark.parametrize(
    ("method", "watched", "thread"),
    [
        *[(method, watched, "main") for method in METHODS for watched in ("watched", "not-watched")],
        pytest.param("fork", "watched", "thread", marks=FORKS),
    ],
)
def test_end_of_a_worker(tmp_path, method, watched, thread):
    """A worker of multiprocessing is judged by its own end, not by that of the program."""
    (tmp_path / "program.py").write_text(WORKER)
    assert {last: last_line(tmp_path, "program.py", method, last, watched, thread) for last in WORKS} == WORKS


@FORKS
@pytest.mark.parametrize(
    ("last", "expected"), [("sys.exit(0)", "ended"), ("sys.exit(1)", "broken off"), ("1 / 0", "broken off")]
)
def test_end_of_a_forked_child(tmp_path, last, expected):
    """A child of ``os.fork`` that leaves through the program's own lines is judged by how it leaves."""
    (tmp_path / "program.py").write_text(
        f"{WATCH}import os\npid = os.fork()\nif pid == 0:\n    {last}\nos.waitpid(pid, 0)\nos._exit(0)"
    )
    assert last_line(tmp_path, "program.py") == expected


def test_the_watch_begins_once(tmp_path):
    """The watch changes ``sys.exit`` once, and leaves alone what someone else puts in its place."""
    (tmp_path / "program.py").write_text("""
import sys
from safewriter.system import ending
original = sys.exit
ending.watch()
ours = sys.exit
ending.watch()
kept = sys.exit is ours is not original and ours.__name__ == "exit"
sys.exit = other = lambda status=None: original(status)
ending.watch()
print(kept, sys.exit is other, ending.broken_off())
""")
    assert last_line(tmp_path, "program.py") == "True True False"

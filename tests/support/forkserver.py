"""Runs programs in forked children of one process that has imported TensorFlow: a process each, without the seconds.

Each child is a process of its own that ends as any interpreter does, exit hooks included. Reads one request a line as
JSON from standard input, and answers each with one line of JSON.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import sys
import time
import types
import warnings

NOBODY = 65534


def serve():
    """Answers requests; returns one in each forked child, and None when there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for line in iter(requests.readline, ""):
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            return request
        print(json.dumps(wait_for(pid, request["timeout"])), file=answers, flush=True)
    return None


def wait_for(pid, timeout):
    """Waits for a child's end, and kills it where that does not come."""
    deadline = time.monotonic() + timeout
    timed_out = False
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > deadline and not timed_out:
            timed_out = True
            os.killpg(pid, signal.SIGKILL)  # with its own children
        time.sleep(0.01)
    return {"exit_code": os.waitstatus_to_exitcode(found[1]), "timed_out": timed_out}


def become(request):
    """Makes this forked child the process that a program would find itself in; gives its code."""
    os.setpgid(0, 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = [request["program"], *request["arguments"]]
    sys.path[0] = os.path.dirname(request["program"])
    warnings.resetwarnings()
    for action, category in (("ignore", DeprecationWarning), ("ignore", PendingDeprecationWarning)):
        warnings.simplefilter(action, category)
    if request["strict_warnings"]:
        warnings.simplefilter("error", UserWarning)
    with open(request["program"], encoding="utf-8") as file:
        code = compile(file.read(), request["program"], "exec")
    if request["unprivileged"]:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return code


def run(code):
    """Runs a program as the main module."""
    main = types.ModuleType("__main__")
    main.__file__ = sys.argv[0]
    sys.modules["__main__"] = main
    exec(code, main.__dict__)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of processes that fork with threads: those are the math libraries' own
    import encodings.ascii
    import gc
    import linecache  # what a child of another user could not import any more
    import traceback

    try:
        import tensorflow.compat.v1
    except ModuleNotFoundError:  # then programs don't need it either
        tensorflow = None
    import safewriter

    # All of the package, for a child of another user may not be able to enter the checkout.
    for module in pkgutil.walk_packages(safewriter.__path__, "safewriter."):
        with contextlib.suppress(ImportError):  # what needs TensorFlow, or is a program
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)

    _kept = (encodings.ascii, linecache, traceback, tensorflow, safewriter)
    gc.freeze()  # a child need not look through all of TensorFlow when it ends
    _request = serve()
    if _request is not None:
        run(become(_request))

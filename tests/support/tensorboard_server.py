"""A real TensorBoard with the tab, in a process of its own, and event files for it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of

PROGRAM = """
import sys
from tensorboard import default, program
from safewriter.tab.loader import Loader
plugins = [plugin for plugin in default.get_plugins() if plugin is not Loader and plugin != Loader]
board = program.TensorBoard([*plugins, Loader()])
board.configure(argv=["tensorboard", *sys.argv[1:]])
sys.exit(board.main())
"""

#: For the server's process, as a module ``sitecustomize``: the tab loses its patience soon, which its judge's own tests
#: try at full length, and TensorBoard reads by itself: TensorFlow's reader, where installed, comes back to a file.
IMPATIENT = """
import sys
sys.modules["tensorflow"] = None
import safewriter.tab.fates as fates
fates.PATIENCE = 2.0
"""


def record(event):
    """One event as it is on disk."""
    return record_of(event.SerializeToString())


def version(wall_time=1000.0):
    """The record that a file begins with."""
    return record(Event(wall_time=wall_time, file_version="brain.Event:2"))


def scalar(step, number, tag="loss", wall_time=None):
    """One value."""
    event = Event(wall_time=1000.0 + step if wall_time is None else wall_time, step=step)
    event.summary.value.add(tag=tag, simple_value=number)
    return record(event)


def write(directory, *pieces, name="events.out.tfevents.1000.host"):
    """An event file of these pieces, behind its version record."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(b"".join((version(), *pieces)))
    return path


class Server:
    """The server and how to ask it.

    Attributes:
        url: Where the page is, with a slash at its end.
    """

    def __init__(self, process, url):
        self.process = process
        self.url = url

    def get(self, path, expect=200, method="GET"):
        """What it answers, out of its JSON."""
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == expect, answer.status
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                body = error.read()
            if error.code != expect:
                raise AssertionError((error.code, body)) from None
        try:
            return json.loads(body)
        except ValueError:
            return body.decode()

    def tab(self, path, **options):
        """The same for one of the tab's addresses."""
        return self.get("data/plugin/safewriter/" + path, **options)

    def audit(self, until=lambda answer: answer["state"] == "done", seconds=60):
        """The runs by name, as soon as an answer is as it should be."""
        end = time.monotonic() + seconds
        while True:
            answer = self.tab("audit?since=-1")
            answer["by_run"] = {run["run"]: run for run in answer.get("runs", ())}
            if until(answer):
                return answer
            assert time.monotonic() < end, answer
            time.sleep(0.2)


@contextlib.contextmanager
def serve(*flags, cwd=None, environment=None):
    """TensorBoard with these flags, while the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, "--port=0", *flags],
        cwd=cwd, env={**os.environ, **(environment or {})}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            found = re.search(r"http://\S+", line)
            if found and "Press CTRL" in line:
                break
        else:
            raise AssertionError("".join(said))
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield Server(process, found[0].rstrip("/") + "/")
    finally:
        process.kill()
        process.wait()
        drain.join()
        process.stderr.close()

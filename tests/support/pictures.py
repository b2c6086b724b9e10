"""Every picture of the documentation, made anew: ``python tests/support/pictures.py [NAME ...]``.

Each picture says what it shows in a way that a program can read back: an SVG in its texts, a PNG in a text chunk called
``Description``. ``said(name)`` reads that from the file, and ``tests/docs/test_pictures.py`` compares it with what the
programs do now, so that no picture shows what they don't do any more.
"""

import contextlib
import html
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import scenes
import shown

PICTURES = Path(shown.ROOT, "docs", "pictures")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: What a terminal shows, by the name of its picture: where, how wide, and what is typed.
TERMINALS = {
    "audit.svg": ("a directory with logs", 112, "safewriter audit logs"),
    "run.svg": ("a directory with train.py", 112, "safewriter run train.py"),
}


# Terminals


def on_terminal(command, directory, columns):
    """What a command prints on a terminal of so many columns, with its colours."""
    import pty  # Windows has none

    leader, follower = pty.openpty()
    environment = {**shown.settings(directory), "COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}
    del environment["NO_COLOR"]
    child = subprocess.Popen(
        command, shell=True, executable="/bin/bash", cwd=directory, env=environment, stdout=follower, stderr=follower
    )
    os.close(follower)
    pieces = []
    with contextlib.suppress(OSError):  # how the end of a pseudo-terminal is said
        while piece := os.read(leader, 65536):
            pieces.append(piece)
    os.close(leader)
    child.wait()
    text = b"".join(pieces).decode().replace("\r\n", "\n")
    text = re.sub(r"\x1b\[\?25[lh]", "", text)  # the cursor, hidden and shown
    while "\x1b[1A" in text:  # a line up, and wiped out: the progress bar at its end
        text = re.sub(r"[^\n]*\n[^\n]*?\x1b\[1A(\r|\x1b\[2K)*", "", text, count=1)
    text = re.sub(r"^.*\r(\x1b\[2K)?", "", text, flags=re.MULTILINE)  # what was written over
    return shown.normalised(text, directory)


def terminal(name):
    """What stands on the terminal of a picture: the command, and what it prints, as text with colours of rich."""
    from rich.text import Text

    scene, columns, command = TERMINALS[name]
    with scenes.stage(scene) as directory:
        printed = Text.from_ansi(on_terminal(command, directory, columns))
    return Text.assemble(("$ ", "bold green"), (command, "bold"), "\n", printed)


def terminal_lines(name):
    """The same as lines without colours, folded at the terminal's width."""
    from rich.console import Console

    console = Console(width=TERMINALS[name][1], file=io.StringIO(), color_system=None)
    console.print(terminal(name))
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def draw_terminal(name):
    """A terminal as SVG; no font is fetched."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.terminal_theme import MONOKAI

    console = Console(width=TERMINALS[name][1], file=io.StringIO(), record=True, force_terminal=True)
    console.print(terminal(name))
    form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code,", "").replace("font-family: arial", "font-family: sans-serif")
    svg = console.export_svg(title="", theme=MONOKAI, code_format=form, unique_id=name.partition(".")[0])
    (PICTURES / name).write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")


def svg_lines(name):
    """The lines of text in an SVG of a terminal."""
    lines = {}
    content = (PICTURES / name).read_text(encoding="utf-8")
    for x, y, text in re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', content):
        lines.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return ["".join(text for _, text in sorted(pieces)).rstrip() for _, pieces in sorted(lines.items())]


# Curves before and after

_TWO_WRITERS = """
import math, random, sys
import tensorflow.compat.v1 as tf
{imports}
tf.disable_eager_execution()
noise = random.Random(4)
with FileWriter({train}, filename_suffix=".train") as train, FileWriter({test}, filename_suffix=".test") as test:
    for step in range(100):
        for writer, loss in ((train, math.exp(-step / 25)), (test, 0.25 + 0.75 * math.exp(-step / 18) + step / 900)):
            loss = loss * (1 + noise.uniform(-0.06, 0.06))
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=loss)]), step)
"""
_STOCK = "FileWriter = tf.summary.FileWriter"
_OURS = "from safewriter import SafeFileWriter as FileWriter"


def _points(directory):
    """The curves that TensorBoard's reader finds, by run: ``[step, value]``, rounded."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    runs = EventMultiplexer().AddRunsFromDirectory(directory).Reload()
    return {
        run: [[point.step, round(point.value, 3)] for point in runs.Scalars(run, "loss")] for run in sorted(runs.Runs())
    }


def curves():
    """A program with two writers on one directory, and the same with the change that safewriter's message names."""
    shows = {}
    with tempfile.TemporaryDirectory() as top:
        for name, imports, train, test in (
            ("before", _STOCK, '"logs"', '"logs"'),
            ("reported", _OURS, '"logs"', '"logs"'),
            ("after", _OURS, '"logs/train"', '"logs/test"'),
        ):
            directory = os.path.join(top, name)
            os.mkdir(directory)
            program = _TWO_WRITERS.format(imports=imports, train=train, test=test)
            code, output = shown.run([sys.executable, "-c", program], directory)
            assert code == 0, output
            if name == "reported":
                shows["message"] = re.search(r"SW\d{3} [a-z-]+", output)[0]
            else:
                assert "SW" not in output, output
                shows[name] = _points(os.path.join(directory, "logs"))
    return shows


def draw_curves(name):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    shows = curves()
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9.6, 3.5), sharey=True, constrained_layout=True)
    figure.set_facecolor("white")
    colours = iter(("#c2410c", "#1d6fb8", "#2f7d4f"))
    for axes, runs, title in (
        (left, shows["before"], 'FileWriter("logs") twice: one run, one curve, nothing said'),
        (right, shows["after"], f"After the fix that {shows['message'].partition(' ')[0]} names: two runs"),
    ):
        for run, points in runs.items():
            label = "logs" if run == "." else f"logs/{run}"
            axes.plot(*zip(*points, strict=True), label=label, color=next(colours), linewidth=1.6)
        axes.set_title(title, fontsize=10.5, loc="left", color="#222")
        axes.set_xlabel("step", color="#444")
        axes.grid(color="#e4e4e4")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper right")
    left.set_ylabel("loss", color="#444")
    pixels = io.BytesIO()
    figure.savefig(pixels, dpi=150)
    pyplot.close(figure)
    _save(name, pixels.getvalue(), shows)


# The tab


@contextlib.contextmanager
def _tensorboard():
    """TensorBoard over a run of each kind; its address, and the directory."""
    from tensorboard_server import scalar, serve, write

    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory, "logs")
        write(top / "baseline", *(scalar(step, math.exp(-step / 40)) for step in range(200)))
        write(top / "diverged", *(scalar(step, math.nan if step > 120 else step / 99) for step in range(160)))
        whole = [scalar(step, math.exp(-step / 50) + math.sin(step) / 30) for step in range(200)]
        write(top / "killed on NFS", *whole[:140], b"?" * 64, *whole[140:])
        steps = [*range(120), *range(60, 160)]
        write(top / "restarted", *(scalar(step, 1 / (1 + step), wall_time=1e3 + i) for i, step in enumerate(steps)))
        with serve(f"--logdir={top}", "--reload_interval=1") as server:
            server.audit(lambda answer: answer["runs"] and all(run["held_step"] for run in answer["runs"]))
            yield server.url, directory


#: The directory is a passing one, whose name would change with each picture.
_RENAME = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
}"""

#: Width, and whether it is dark, of each picture of the tab.
TABS = {"tab-light.png": (1100, False), "tab-dark.png": (1100, True), "tab-phone.png": (390, False)}


def tabs(*names):
    """Opens the tab for each of these pictures: ``(name, its text, the picture)``."""
    from playwright.sync_api import sync_playwright

    with _tensorboard() as (url, directory), sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in names or TABS:
            width, dark = TABS[name]
            page = browser.new_page(viewport={"width": width, "height": 860})
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.goto(url + "data/plugin_entry.html?name=safewriter#run=killed%20on%20NFS")
            page.wait_for_selector("svg.chart")
            page.evaluate(_RENAME, [directory, "/data"])
            text = [line.strip() for line in page.locator("main").inner_text().splitlines() if line.strip()]
            yield name, text, page.screenshot()
        browser.close()


def draw_tab(name):
    for _, text, pixels in tabs(name):
        _save(name, pixels, text)


# The drawings: the way of an event, and the cost


def draw_path(name):
    import diagram

    (PICTURES / name).write_text(diagram.draw(), encoding="utf-8")


def draw_cost(name):
    import cost

    (PICTURES / name).write_text(cost.draw(), encoding="utf-8")


# All of them

DRAW = {
    **dict.fromkeys(TERMINALS, draw_terminal),
    "curves.png": draw_curves,
    "path.svg": draw_path,
    "cost.svg": draw_cost,
    **dict.fromkeys(TABS, draw_tab),
}


def _save(name, pixels, says):
    """Saves a PNG with what it says in it."""
    from PIL import Image, PngImagePlugin

    described = PngImagePlugin.PngInfo()
    described.add_itxt("Description", json.dumps(says, ensure_ascii=False))
    with Image.open(io.BytesIO(pixels)) as image:
        image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            PICTURES / name, pnginfo=described, optimize=True
        )


def said(name):
    """What a picture says."""
    if name in TERMINALS:
        return svg_lines(name)
    if name.endswith(".svg"):
        return (PICTURES / name).read_text(encoding="utf-8")
    from PIL import Image

    with Image.open(PICTURES / name) as image:
        return json.loads(image.text["Description"])


def main(names):
    PICTURES.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    for name in names or DRAW:
        DRAW[name](name)


if __name__ == "__main__":
    main(sys.argv[1:])

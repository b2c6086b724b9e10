"""Makes the pictures of the tab for the documentation: ``python tests/support/tab_pictures.py``."""

import math
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from tensorboard_server import scalar, serve, write

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

#: The directory is a passing one, whose name would change with each picture.
_RENAME = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
}"""


def main():
    """Runs of each kind, in light and in dark, wide and on a phone."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory, "logs")
        write(top / "baseline", *(scalar(step, math.exp(-step / 40)) for step in range(200)))
        write(top / "diverged", *(scalar(step, math.nan if step > 120 else step / 99) for step in range(160)))
        whole = [scalar(step, math.exp(-step / 50) + math.sin(step) / 30) for step in range(200)]
        write(top / "killed on NFS", *whole[:140], b"?" * 64, *whole[140:])
        steps = [*range(120), *range(60, 160)]
        write(top / "restarted", *(scalar(step, 1 / (1 + step), wall_time=1e3 + i) for i, step in enumerate(steps)))
        with serve(f"--logdir={top}", "--reload_interval=1") as server, sync_playwright() as started:
            server.audit(lambda answer: answer["runs"] and all(run["held_step"] for run in answer["runs"]))
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, width, dark in (("light", 1100, False), ("dark", 1100, True), ("phone", 390, False)):
                page = browser.new_page(viewport={"width": width, "height": 860})
                page.emulate_media(color_scheme="dark" if dark else "light")
                page.goto(server.url + "data/plugin_entry.html?name=safewriter#run=killed%20on%20NFS")
                page.wait_for_selector("svg.chart")
                page.evaluate(_RENAME, [directory, "/data"])
                page.screenshot(path=PICTURES / f"tab-{name}.png")
            browser.close()


if __name__ == "__main__":
    main()

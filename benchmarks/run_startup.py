"""What ``safewriter run`` costs at the start: a script that does nothing, with it and with ``python``, in turn.

Prints the medians in milliseconds and the median of the differences of the pairs.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = 30


def seconds(command):
    """How long a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


with tempfile.TemporaryDirectory() as directory:
    script = Path(directory, "script.py")
    script.write_text("pass\n")
    python, watched = [sys.executable, str(script)], [sys.executable, "-m", "safewriter", "run", str(script)]
    seconds(python), seconds(watched)
    pairs = [(seconds(python), seconds(watched)) for _ in range(PAIRS)]

print(f"python          {1000 * statistics.median(each for each, _ in pairs):6.1f} ms")
print(f"safewriter run  {1000 * statistics.median(each for _, each in pairs):6.1f} ms")
print(f"difference      {1000 * statistics.median(b - a for a, b in pairs):6.1f} ms (median of {PAIRS} pairs)")

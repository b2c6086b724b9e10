"""Runs many short programs in one process, for tests that would otherwise import TensorFlow once for each.

Reads ``{name: [directory, source]}`` as JSON from standard input, runs each program in its directory with a fresh
default graph, and prints ``{name: outcome}`` as JSON: the codes that safewriter told, in order, as warnings, errors
or findings of the audit, and the text of everything else that was warned or raised.
"""

import contextlib
import gc
import io
import json
import os
import re
import runpy
import sys
import traceback
import warnings

#: How a finding begins, wherever it is printed: ``SW302 summaries-never-written: …``.
TOLD = re.compile(r"\b(SW\d{3}) [a-z]+(?:-[a-z]+)*: ")


def run_program(directory: str, source: str) -> dict[str, list[str]]:
    from safewriter import SafeWriterError, SafeWriterWarning

    os.chdir(directory)
    with open("program.py", "w", encoding="utf-8") as file:
        file.write(source)
    outcome: dict[str, list[str]] = {"codes": [], "places": [], "others": []}
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("ignore")  # TensorFlow's own deprecations are not what is tested
        warnings.simplefilter("always", UserWarning)
        raised = None
        try:
            runpy.run_path("program.py", run_name="__main__")
        except SafeWriterError as error:
            raised = error.finding.code
        except BaseException:
            outcome["others"].append(traceback.format_exc())
        gc.collect()
    for warning in caught:
        if isinstance(warning.message, SafeWriterWarning):
            outcome["codes"].append(warning.message.finding.code)
            outcome["places"].append(os.path.basename(warning.filename))
        else:
            outcome["others"].append(f"{warning.category.__name__}: {warning.message}")
    if raised is not None:
        outcome["codes"].append(raised)
    outcome["codes"] += TOLD.findall(printed.getvalue())
    return outcome


def main() -> None:
    import tensorflow.compat.v1 as tf

    start = os.getcwd()
    outcomes = {}
    for name, (directory, source) in json.load(sys.stdin).items():
        tf.reset_default_graph()
        outcomes[name] = run_program(directory, source)
        os.chdir(start)
    print("\n" + json.dumps(outcomes))


if __name__ == "__main__":
    main()

"""Runs programs of docs/distributed.md, each in a directory of its own, one after the other in this process.

Reads ``[[directory, program], …]`` as JSON from the standard input and prints, as JSON, the codes and messages that
were reported for each.
"""

import json
import os
import sys
import warnings


def main():
    reported = []
    for directory, program in json.load(sys.stdin):
        os.chdir(directory)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
        findings = [each.message.finding for each in caught if hasattr(each.message, "finding")]
        reported.append([(finding.code, finding.message) for finding in findings])
    print("\n" + json.dumps(reported), flush=True)


if __name__ == "__main__":
    main()

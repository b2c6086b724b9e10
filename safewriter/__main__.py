"""``python -m safewriter``: the command, where the console script is not on the path."""

import sys

from safewriter.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""``python -m sklearn_makemore`` is the command line, ``sklearn-makemore``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())

"""A canvas to write on: see ``python draw.py --help``."""

import sys

from inkfold.commands.draw import main

if __name__ == "__main__":
    sys.exit(main())

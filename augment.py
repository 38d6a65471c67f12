"""Add distorted copies to a packed dataset: see ``python augment.py --help``."""

import sys

from inkfold.commands.augment import main

if __name__ == "__main__":
    sys.exit(main())

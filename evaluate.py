"""Bundle and test split in, report out: see ``python evaluate.py --help``."""

import sys

from inkfold.commands.evaluate import main

if __name__ == "__main__":
    sys.exit(main())

"""Write a page to look at a packed dataset: see ``python explore.py --help``."""

import sys

from inkfold.commands.explore import main

if __name__ == "__main__":
    sys.exit(main())

"""Pictures in, labels out: see ``python classify.py --help``."""

import sys

from inkfold.commands.classify import main

if __name__ == "__main__":
    sys.exit(main())

"""Make one dataset file of a public data set's own files: python import_data.py FORMAT SOURCE."""

import sys

from inkfold.commands.import_data import main

if __name__ == "__main__":
    sys.exit(main())

"""Pack a folder of class folders into one dataset file: python create_dataset.py FOLDER."""

import sys

from inkfold.commands.create_dataset import main

if __name__ == "__main__":
    sys.exit(main())

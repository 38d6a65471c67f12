"""cnn30: cnn32 for 30x30 pictures, with a rim of zeros before the second pooling.

The network and its recipe are in inkfold/networks/cnn30.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.cnn30 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

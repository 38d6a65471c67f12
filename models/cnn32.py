"""cnn32: three convolutions and two wide hidden layers on 32x32 pictures.

The network and its recipe are in inkfold/networks/cnn32.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.cnn32 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

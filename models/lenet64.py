"""lenet64: two convolutions and one wide hidden layer on black and white 64x64 pictures.

The network and its recipe are in inkfold/networks/lenet64.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.lenet64 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

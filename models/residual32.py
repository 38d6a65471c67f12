"""residual32: nine convolutions, six of them in residual blocks, on 32x32 pictures; our own.

The network and its recipe are in inkfold/networks/residual32.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.residual32 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

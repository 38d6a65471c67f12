"""leaky28: two convolutions and one hidden layer with leaky rectifiers on 28x28 pictures.

The network and its recipe are in inkfold/networks/leaky28.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.leaky28 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

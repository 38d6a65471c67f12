"""blocks28: three blocks of convolution and normalisation, one hidden layer, on 28x28 pictures.

The network and its recipe are in inkfold/networks/blocks28.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.blocks28 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

"""cnn32_wide: cnn32 with more filters and wider hidden layers, for the tenfold dataset.

The network and its recipe are in inkfold/networks/cnn32_wide.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.cnn32_wide import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

"""plain28: two convolutions and nothing else on 28x28 pictures.

The network and its recipe are in inkfold/networks/plain28.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.plain28 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

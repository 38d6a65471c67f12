"""strided28: seven convolutions, two of them with strides in place of pooling, on 28x28 pictures.

The network and its recipe are in inkfold/networks/strided28.py.
"""

import sys

from inkfold.commands.train import main
from inkfold.networks.strided28 import RECIPE, build

if __name__ == "__main__":
    sys.exit(main(build, RECIPE))

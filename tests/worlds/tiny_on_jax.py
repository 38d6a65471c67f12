"""The script of the tiny network where TensorFlow is not installed."""

from __future__ import annotations

import sys

from inkfold.commands import train
from tests.worlds import tiny_network
from tests.worlds.no_tensorflow import hide_tensorflow

if __name__ == "__main__":
    hide_tensorflow()
    sys.exit(train.main(tiny_network.build, tiny_network.RECIPE))

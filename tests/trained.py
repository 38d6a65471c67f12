"""What two runs are compared by."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from inkfold.bundle import load_bundle


def weights(bundle: Path) -> list[np.ndarray]:
    """The bundle's weights as its Keras model has them."""
    return [np.asarray(weight) for weight in load_bundle(bundle).keras_model().get_weights()]


def history(bundle: Path) -> list[dict[str, str]]:
    """The bundle's history without what a clock wrote."""
    with (bundle / "history.csv").open(encoding="utf-8") as file:
        return [row | {"seconds": ""} for row in csv.DictReader(file)]

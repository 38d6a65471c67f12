"""A training of the tiny network, and what two runs are compared by."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from inkfold.bundle.bundle import load_bundle
from inkfold.dataset.reader import Dataset
from inkfold.training.engine import Options, Training
from inkfold.training.loop import Watcher
from tests.worlds import tiny_network

SILENT = Watcher(lambda _text: None, lambda _count: None, lambda _history: None)


def training(dataset: Dataset, output: Path, **options: Any) -> Training:  # noqa: ANN401, passed on
    """A training of the tiny network in float32."""
    chosen = Options(**{"precision": "float32"} | options)
    return Training(tiny_network.build, tiny_network.RECIPE, dataset, chosen, output)


def weights(bundle: Path) -> list[np.ndarray]:
    """The bundle's weights as its Keras model has them."""
    return [np.asarray(weight) for weight in load_bundle(bundle).keras_model().get_weights()]


def history(bundle: Path) -> list[dict[str, str]]:
    """The bundle's history without what a clock wrote."""
    with (bundle / "history.csv").open(encoding="utf-8") as file:
        return [row | {"seconds": ""} for row in csv.DictReader(file)]

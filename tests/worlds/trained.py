"""A training of the tiny network, and the weights and histories by which runs are compared."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from inkfold.bundle.bundle import load_bundle
from inkfold.bundle.history import HISTORY
from inkfold.dataset.reader import Dataset
from inkfold.recipe import Recipe
from inkfold.training.engine import Options, Training
from inkfold.training.loop import Watcher
from tests.worlds import tiny_network

SILENT = Watcher(
    built=lambda _text: None,
    planned=lambda _plan, _pictures: None,
    batch_done=lambda _count: None,
    epoch_done=lambda _history: None,
)


def training(
    dataset: Dataset,
    output: Path,
    recipe: Recipe = tiny_network.RECIPE,
    **options: Any,  # noqa: ANN401, passed on to Options
) -> Training:
    """A training of the tiny network, in float32 where `options` do not say otherwise.

    Which kernels are faster differs from one moment to the next, and their roundings differ: they
    are fixed as well, so that two runs can be compared.
    """
    return Training(
        build=tiny_network.build,
        recipe=recipe,
        dataset=dataset,
        options=Options(**{"precision": "float32", "kernels": "fused"} | options),
        output=output,
    )


def weights(bundle: Path) -> list[np.ndarray]:
    """The weights of a bundle's Keras model, in the model's order."""
    return [np.asarray(weight) for weight in load_bundle(bundle).keras_model().get_weights()]


def history(bundle: Path) -> list[dict[str, str]]:
    """The rows of a bundle's history, without the seconds that each epoch took."""
    with (bundle / HISTORY).open(encoding="utf-8") as file:
        return [row | {"seconds": ""} for row in csv.DictReader(file)]

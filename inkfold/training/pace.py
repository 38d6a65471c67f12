"""How fast a network trains on this machine: a few steps on noise are timed.

Afterwards the network is as it was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from inkfold.training.compile import Kernels, variables
from inkfold.training.machines import Machines

if TYPE_CHECKING:
    import keras

WARM, TIMED = 2, 5  # steps of each network: the first ones compile it


@dataclass(frozen=True)
class Pace:
    """What a batch costs.

    Attributes
    ----------
    step : float
        Seconds of a training step.
    answer : float
        Seconds of answering a batch, without training.
    """

    step: float
    answer: float


def measured(
    models: Mapping[Kernels, keras.Model],
    batch: int,
    machines: Machines | None = None,
    answers: keras.Model | None = None,
) -> dict[Kernels, Pace]:
    """The pace of some compiled networks of equal shape, measured in turn, in batches of noise.

    Every variable of a network has its old value at the end. What machine 0 measures holds for all.

    Parameters
    ----------
    models : mapping
        The networks, by their kernels.
    batch : int
        Pictures in a batch, which `machines` share.
    machines : Machines, optional
        By default this machine alone.
    answers : keras.Model, optional
        What answers in place of each network, as in `Run`.
    """
    machines = Machines() if machines is None else machines
    own = machines.rows(batch)
    rng = np.random.default_rng(0)
    one = next(iter(models.values()))
    size, classes = one.input_shape[1], one.output_shape[-1]
    images = rng.integers(0, 256, (batch, size, size, 1)).astype(np.uint8)
    labels = rng.integers(0, classes, batch).astype(np.int32)
    befores = {
        name: [np.array(variable.numpy()) for variable in variables(model)]
        for name, model in models.items()
    }
    steps: dict[Kernels, list[float]] = {name: [] for name in models}
    answered: dict[Kernels, list[float]] = {name: [] for name in models}
    for _ in range(WARM + TIMED):
        for name, model in models.items():
            began = time.perf_counter()
            with machines.sharing():
                model.train_on_batch(images[own], labels[own])
            trained = time.perf_counter()
            (model if answers is None else answers).predict_on_batch(images)
            steps[name].append(trained - began)
            answered[name].append(time.perf_counter() - trained)
    for name, model in models.items():
        for variable, value in zip(variables(model), befores[name], strict=True):
            variable.assign(value)
    return {
        name: Pace(
            machines.of_first(median(steps[name][WARM:])),
            machines.of_first(median(answered[name][WARM:])),
        )
        for name in models
    }

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


def measured(models: Mapping[Kernels, keras.Model], batch: int) -> dict[Kernels, Pace]:
    """The pace of some compiled networks of equal shape, measured in turn, in batches of noise.

    Every variable of a network has its old value at the end.
    """
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
    answers: dict[Kernels, list[float]] = {name: [] for name in models}
    for _ in range(WARM + TIMED):
        for name, model in models.items():
            began = time.perf_counter()
            model.train_on_batch(images, labels)
            trained = time.perf_counter()
            model.predict_on_batch(images)
            steps[name].append(trained - began)
            answers[name].append(time.perf_counter() - trained)
    for name, model in models.items():
        for variable, value in zip(variables(model), befores[name], strict=True):
            variable.assign(value)
    return {name: Pace(median(steps[name][WARM:]), median(answers[name][WARM:])) for name in models}

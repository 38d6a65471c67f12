"""Trainings of the tiny network on JAX, by one process or as one of several; their states are kept.

    python shared_training.py DATASET NAME
    python shared_training.py DATASET NAME RANK OF PORT

One device, and several processes, take two steps of plain gradient descent: ``NAME-sgd.npz``.
Several devices make a search and a refit with distorted pictures: the bundle ``NAME``, and the
checkpoint of each epoch, ``NAME-1.npz`` and so on.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from inkfold.bundle.history import Row
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.recipe import Stage
from inkfold.training.batches import Batches
from inkfold.training.compile import PLAIN, fresh_network
from inkfold.training.engine import Training
from inkfold.training.joining import joined, on_this_machine
from inkfold.training.loop import Run, State
from inkfold.training.machines import Machines
from inkfold.training.places import Place
from tests.worlds import tiny_network
from tests.worlds.no_tensorflow import hide_tensorflow
from tests.worlds.trained import SILENT, training

EPOCHS = 3
FALLING = Stage.cosine(1e-2, epochs=1, warmup=0)


def descend(dataset: Dataset, name: str, machines: Machines) -> None:
    """Two steps of gradient descent, whose state stays in ``NAME-sgd.npz``."""
    import keras

    recipe = replace(tiny_network.RECIPE, stages=(FALLING,))
    with machines.sharing():
        model = fresh_network(tiny_network.build, 4, recipe, seed=0, kernels="keras")
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        model.compile(optimizer=optimizer, loss=PLAIN, metrics=["accuracy"])
    Run(
        model,
        Batches([dataset.train], len(dataset.train) // 2, seed=0, machines=machines),
        recipe.stages,
        dataset.validation,
        state=State(checkpoint=Path(f"{name}-sgd.npz"), config={}),
        watcher=SILENT,
        answers=None if machines.shares == 1 else tiny_network.build(4),
    ).finish()


def train(whole: Training) -> None:
    """A whole training; a copy of its checkpoint stays of each epoch."""

    def keep(history: list[Row]) -> None:
        if whole.machines.is_first:
            shutil.copy(whole.checkpoint, f"{whole.output}-{len(history)}.npz")

    whole.run(replace(SILENT, epoch_done=keep), resume=False, overwrite=False)


def together(place: Sequence[str], sizes: tuple[int, ...]) -> AbstractContextManager[Machines]:
    """The machines of the place that the command line names."""
    if not place:
        return nullcontext(on_this_machine(sizes))
    rank, of, port = map(int, place)
    return joined(Place(host="127.0.0.1", port=port, rank=rank, of=of), sizes, ended=ended)


def ended(why: str) -> NoReturn:
    """Machine 0 has ended, which nothing here expects."""
    raise RuntimeError(why)


def main(data: str, name: str, *place: str) -> None:
    """Train what this process is asked for."""
    hide_tensorflow()
    with open_dataset(data) as dataset:
        recipe = tiny_network.RECIPE.in_epochs(EPOCHS)
        whole = training(dataset, Path(name), recipe, augment="online", refit=True)
        with together(place, whole.batch_sizes) as machines:
            if place or machines.shares == 1:
                descend(dataset, name, machines)
            if machines.shares > 1:
                train(replace(whole, machines=machines))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One contender of a benchmark of training, in a process of its own.

    python benchmarks/training_contenders.py NAME NETWORK FILE

In one process TensorFlow and PyTorch would compete for threads. For each line on stdin the
contender trains an epoch and answers with a line: pictures a second, from the epoch's beginning to
its last step.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.commands.network_files import load_network
from inkfold.dataset.reader import open_dataset
from inkfold.elastic import Elastic
from inkfold.keras_backend import import_keras, policy
from inkfold.recipe import Recipe, Stage
from inkfold.training.allocator import keep_freed_memory
from inkfold.training.batches import Batches
from inkfold.training.compile import Build, Kernels, fresh_network
from inkfold.training.loop import Run, State, Watcher

RATE = 1e-3


def ours(
    build: Build, recipe: Recipe, path: Path, *, kernels: Kernels = "fused", online: bool = False
) -> None:
    """Our training loop with ``--precision auto``, reading the file."""
    keep_freed_memory()
    import_keras().config.set_dtype_policy(policy("auto"))
    clock = Clock()
    watcher = Watcher(
        built=lambda _summary: clock.begin(),
        planned=lambda _plan, _pictures: None,
        batch_done=clock.step,
        epoch_done=lambda _history: clock.end(),
    )
    elastic = Elastic.of(recipe.size, recipe.distortion) if online else None
    with open_dataset(path) as dataset, tempfile.TemporaryDirectory() as folder:
        batches = Batches([dataset.train], recipe.batch, seed=0, elastic=elastic)
        state = State(checkpoint=Path(folder) / "checkpoint.npz", config={})
        stages = (Stage(RATE, epochs=1000, patience=1000),)
        recipe = replace(recipe, stages=stages)
        model = fresh_network(build, len(dataset.classes), recipe, seed=0, kernels=kernels)
        Run(model, batches, stages, None, state=state, watcher=watcher).finish()


def keras_fit(build: Build, recipe: Recipe, path: Path, *, backend: str = "tensorflow") -> None:
    """Training as a user of Keras writes it: float32, fit on arrays in memory.

    Keras is imported without our settings.
    """
    os.environ["KERAS_BACKEND"] = backend
    import keras

    with open_dataset(path) as dataset:
        images, labels = dataset.train.images[:][..., None], dataset.train.labels
        model = build(len(dataset.classes))
    loss = "sparse_categorical_crossentropy"
    optimizer = keras.optimizers.Adam(RATE, weight_decay=recipe.weight_decay or None)
    model.compile(optimizer, loss, metrics=["accuracy"])
    clock, batch = Clock(), recipe.batch
    done = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: clock.step(min(batch, len(images) - step * batch))  # noqa: ARG005, Keras names them
    )
    clock.begin()
    while True:
        model.fit(images, labels, batch_size=batch, verbose=0, callbacks=[done])
        clock.end()


def pytorch(build: Build, recipe: Recipe, path: Path, *, bfloat16: bool) -> None:  # noqa: ARG001, the others need `build`
    """The same network in PyTorch: channels last, fused Adam, arrays in memory."""
    import torch

    from benchmarks.torch_networks import Network

    with open_dataset(path) as dataset:
        images = torch.from_numpy(dataset.train.images[:])[:, None]
        labels = torch.from_numpy(dataset.train.labels).long()
        network = Network(recipe, len(dataset.classes), RATE, bfloat16=bfloat16)
    clock, batch = Clock(), recipe.batch
    clock.begin()
    while True:
        order = torch.randperm(len(images))
        for rows in order[: len(order) // batch * batch].split(batch):
            network.step(images[rows], labels[rows])
            clock.step(batch)
        clock.end()


class Clock:
    """Times each epoch: begins at a line on stdin, and answers with the rate at the end."""

    def __init__(self) -> None:
        self._requests: Iterator[str] = iter(sys.stdin)
        self._pictures, self._began, self._last = 0, 0.0, 0.0

    def begin(self) -> None:
        """Wait for this contender's turn; end the process when stdin has ended."""
        if next(self._requests, None) is None:
            sys.exit(0)
        self._pictures, self._began = 0, time.perf_counter()

    def step(self, pictures: int) -> None:
        """Count the pictures of a batch that is done."""
        self._pictures += pictures
        self._last = time.perf_counter()

    def end(self) -> None:
        """Print the epoch's pictures a second, and wait for the next turn."""
        print(self._pictures / (self._last - self._began), flush=True)  # noqa: T201, the answer
        self.begin()


CONTENDERS: dict[str, Callable[[Build, Recipe, Path], None]] = {
    "ours": ours,
    "ours, Keras' layers": partial(ours, kernels="keras"),
    "ours online": partial(ours, online=True),
    "Keras float32": keras_fit,
    "Keras on JAX": partial(keras_fit, backend="jax"),
    "Keras on PyTorch": partial(keras_fit, backend="torch"),
    "PyTorch float32": partial(pytorch, bfloat16=False),
    "PyTorch bfloat16": partial(pytorch, bfloat16=True),
}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](*load_network(sys.argv[2]), Path(sys.argv[3]))

"""One contender of benchmarks/training.py, in a process of its own.

    python benchmarks/training_contenders.py NAME FILE

In one process TensorFlow and PyTorch would compete for threads. For each line on stdin the
contender trains an epoch and answers with a line: pictures a second, from the epoch's beginning to
its last step. (After it Keras may wait up to half a second while TensorFlow closes its input; that
is not counted.)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.dataset.reader import open_dataset
from inkfold.elastic import Elastic
from inkfold.keras_backend import import_keras, policy
from inkfold.recipe import Stage
from inkfold.training.batches import Batches
from inkfold.training.loop import Run, State, Watcher
from models.cnn32 import RECIPE, build

RATE = 1e-3
BATCH = RECIPE.batch


def ours(path: Path, *, online: bool) -> None:
    """The training loop of ``models/cnn32.py`` with ``--precision auto``, reading the file."""
    import_keras().config.set_dtype_policy(policy("auto"))
    clock = Clock()
    watcher = Watcher(
        built=lambda _summary: clock.begin(),
        batch_done=clock.step,
        epoch_done=lambda _history: clock.end(),
    )
    elastic = Elastic.of(RECIPE.size, RECIPE.distortion) if online else None
    with open_dataset(path) as dataset, tempfile.TemporaryDirectory() as folder:
        batches = Batches([dataset.train], BATCH, seed=0, elastic=elastic)
        state = State(checkpoint=Path(folder) / "checkpoint.npz", config={})
        recipe = replace(RECIPE, stages=(Stage(RATE, epochs=1000, patience=1000),))
        classes = len(dataset.classes)
        Run(build, classes, batches, recipe, None, seed=0, state=state, watcher=watcher).finish()


def keras_fit(path: Path) -> None:
    """Training as a user of Keras writes it: float32, fit on arrays in memory."""
    keras = import_keras()
    with open_dataset(path) as dataset:
        images, labels = dataset.train.images[:][..., None], dataset.train.labels
        model = build(len(dataset.classes))
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(RATE), loss, metrics=["accuracy"])
    clock = Clock()
    done = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: clock.step(BATCH))  # noqa: ARG005, Keras names them
    clock.begin()
    while True:
        model.fit(images, labels, batch_size=BATCH, verbose=0, callbacks=[done])
        clock.end()


def pytorch(path: Path, *, bfloat16: bool) -> None:
    """The same network in PyTorch: channels last, fused Adam, arrays in memory."""
    import torch

    from benchmarks.torch_cnn32 import Network

    with open_dataset(path) as dataset:
        images = torch.from_numpy(dataset.train.images[:])[:, None]
        labels = torch.from_numpy(dataset.train.labels).long()
        network = Network(len(dataset.classes), RATE, bfloat16=bfloat16)
    clock = Clock()
    clock.begin()
    while True:
        order = torch.randperm(len(images))
        for rows in order[: len(order) // BATCH * BATCH].split(BATCH):
            network.step(images[rows], labels[rows])
            clock.step(BATCH)
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


CONTENDERS: dict[str, tuple[Callable[..., None], dict[str, Any]]] = {
    "ours": (ours, {"online": False}),
    "ours online": (ours, {"online": True}),
    "Keras float32": (keras_fit, {}),
    "PyTorch float32": (pytorch, {"bfloat16": False}),
    "PyTorch bfloat16": (pytorch, {"bfloat16": True}),
}

if __name__ == "__main__":
    train, options = CONTENDERS[sys.argv[1]]
    train(Path(sys.argv[2]), **options)

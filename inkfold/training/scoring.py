"""What a network gets right on a split, while it is trained and at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inkfold.dataset.split import Split
from inkfold.metrics import SMALLEST
from inkfold.training.machines import Machines

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Score:
    """Counts over a split.

    Attributes
    ----------
    correct : int
        Pictures answered rightly.
    total : int
    loss_sum : float
        Sum of their cross-entropies, in nats.
    """

    correct: int
    total: int
    loss_sum: float

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return self.loss_sum / self.total


def score(model: keras.Model, split: Split, batch: int, machines: Machines | None = None) -> Score:
    """Count what `model` gets right on every row of `split`.

    The last batch is filled up with blank images that are not counted, so that all batches have one
    shape and the network is compiled once. Several machines answer the batches in turn; the losses
    are added up in the order of the batches all the same, so the sum does not depend on how many.
    """
    machines = Machines() if machines is None else machines
    counts: list[tuple[float, float]] = []  # of each batch: right answers, sum of losses
    for block in split.blocks():
        for start in range(0, len(block.labels), batch):
            if len(counts) % machines.of != machines.rank:
                counts.append((0, 0.0))
                continue
            labels = block.labels[start : start + batch]
            images = np.zeros((batch, *block.images.shape[1:], 1), np.uint8)
            images[: len(labels), :, :, 0] = block.images[start : start + batch]
            answers = np.asarray(model.predict_on_batch(images), np.float64)[: len(labels)]
            of_truth = np.clip(answers[np.arange(len(labels)), labels], SMALLEST, 1.0)
            right = int((answers.argmax(axis=1) == labels).sum())
            counts.append((right, -float(np.log(of_truth).sum())))
    # of each batch one machine has a number other than 0
    right, losses = machines.gathered(np.array(counts, float).reshape(-1, 2)).sum(axis=0).T
    loss_sum = 0.0
    for loss in losses.tolist():  # one after the other: newer Pythons' sum() rounds differently
        loss_sum += loss
    return Score(int(right.sum()), len(split), loss_sum)

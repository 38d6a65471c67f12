"""What a network gets right on a split, while it is trained and at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inkfold.dataset.split import Split
from inkfold.metrics import SMALLEST

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


def score(model: keras.Model, split: Split, batch: int) -> Score:
    """Count what `model` gets right on every row of `split`.

    The last batch is filled up with blank images that are not counted, so that all batches have one
    shape and the network is compiled once.
    """
    correct, loss_sum = 0, 0.0
    for block in split.blocks():
        for start in range(0, len(block.labels), batch):
            labels = block.labels[start : start + batch]
            images = np.zeros((batch, *block.images.shape[1:], 1), np.uint8)
            images[: len(labels), :, :, 0] = block.images[start : start + batch]
            answers = np.asarray(model.predict_on_batch(images), np.float64)[: len(labels)]
            correct += int((answers.argmax(axis=1) == labels).sum())
            of_truth = np.clip(answers[np.arange(len(labels)), labels], SMALLEST, 1.0)
            loss_sum -= float(np.log(of_truth).sum())
    return Score(correct, len(split), loss_sum)

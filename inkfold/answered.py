"""What is kept of a classifier's answers to a split: a few numbers a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkfold.calibration import tempered
from inkfold.classifier import Classifier
from inkfold.dataset.reader import Block, Split
from inkfold.metrics import ranks


@dataclass(frozen=True)
class Answers:
    """Arrays of shape (N,), in the split's order.

    Attributes
    ----------
    labels, predicted : int arrays
        True and answered class.
    rank : int64 array
        Place of the true class among the answers, 0 for the likeliest.
    own, own_of_truth : float32 arrays
        What the network itself gave its answer and the true class.
    probability, of_truth : float32 arrays
        The same with the temperature: what ``classify.py`` gives.
    group : list of str, optional
        Writer, page or sheet of each picture.
    """

    labels: NDArray[np.int32]
    predicted: NDArray[np.int64]
    rank: NDArray[np.int64]
    own: NDArray[np.float32]
    own_of_truth: NDArray[np.float32]
    probability: NDArray[np.float32]
    of_truth: NDArray[np.float32]
    group: list[str] | None = None

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right."""
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def worst(self) -> NDArray[np.int64]:
        """Rows of the wrong answers, the surest first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.probability[wrong], kind="stable")]


def answer(
    classifier: Classifier,
    part: Split,
    temperature: float | None,
    advance: Callable[[int], None],
) -> Answers:
    """Answer a split block by block: memory holds the probabilities of one block.

    Parameters
    ----------
    classifier : Classifier
    part : Split
        Not empty.
    temperature : float, optional
    advance : callable
        Told the number of pictures answered since the last call.
    """
    kept = []
    for block in part.blocks():
        kept.append(_reduced(classifier.network_answers(block.images), block, temperature))
        advance(len(block.labels))
    names = [field.name for field in fields(Answers) if field.name != "group"]
    columns = {name: np.concatenate([getattr(one, name) for one in kept]) for name in names}
    return Answers(**columns, group=part.group)


def _reduced(own: NDArray[np.float32], block: Block, temperature: float | None) -> Answers:
    predicted, labels = own.argmax(axis=1), block.labels
    given = own if temperature is None else tempered(own, temperature)
    at = np.arange(len(labels))
    return Answers(
        labels=labels,
        predicted=predicted,
        rank=ranks(own, labels),
        own=own[at, predicted],
        own_of_truth=own[at, labels],
        probability=given[at, predicted],
        of_truth=given[at, labels],
    )

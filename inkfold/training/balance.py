"""Weights of classes in the loss, so that classes with few pictures are learned too: --balance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Dataset
from inkfold.spec import UNEQUAL


def class_weights(counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """How much a picture of each class counts in the loss: the inverse of the class's size.

    Of the forms that `benchmarks/balance.py` compares it has the highest mean recall on validation
    (docs/results.md).

    Parameters
    ----------
    counts : int array of shape (C,)
        Pictures of each class in the train split.

    Returns
    -------
    weights : float32 array of shape (C,)
        In proportion to ``1 / counts``; a class without pictures has the weight of one with a
        single picture. Their mean over all pictures is 1, so that the loss keeps its scale.

    Examples
    --------
    >>> class_weights(np.array([90, 10])).round(2)
    array([0.56, 5.  ], dtype=float32)
    """
    return of_mean_one(1 / np.maximum(counts, 1), counts)


def weights_of(dataset: Dataset) -> NDArray[np.float32]:
    """The weights of a dataset's classes, float32 (C,), by the sizes in its train split.

    Distorted copies count as pictures: there are as many of every original, which leaves the
    weights as they are.
    """
    return class_weights(dataset.train.counts(len(dataset.classes)))


def of_mean_one(raw: NDArray[np.floating], counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """Weights in proportion to `raw`, scaled to a mean of 1 over all pictures.

    Parameters
    ----------
    raw : float array of shape (C,)
        Above 0.
    counts : int array of shape (C,)
        Pictures of each class, at least one in all.
    """
    return np.asarray(raw * counts.sum() / (raw * counts).sum(), np.float32)


def unequal(dataset: Dataset) -> str | None:
    """A line for people where the classes of the train split are unequal; otherwise None."""
    counts = dataset.train.counts(len(dataset.classes))
    large, small = int(counts.argmax()), int(counts.argmin())
    if counts[large] < UNEQUAL * max(int(counts[small]), 1):
        return None
    return (
        f"unequal classes: {dataset.classes[large]!r} has {counts[large]:,} training pictures, "
        f"{dataset.classes[small]!r} {counts[small]:,}; with --balance more of the small classes "
        "are recognised, and fewer of the large ones"
    )

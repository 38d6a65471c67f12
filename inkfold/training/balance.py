"""Weights of classes in the loss, so that classes with few pictures are learned too: --balance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Dataset

POWER = 0.5  # chosen on validation among the forms of benchmarks/balance.py (docs/results.md)


def class_weights(counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """How much a picture of each class counts in the loss: less, the more pictures the class has.

    Parameters
    ----------
    counts : int array of shape (C,)
        Pictures of each class in the train split.

    Returns
    -------
    weights : float32 array of shape (C,)
        In proportion to ``counts ** -POWER``; a class without pictures is given the weight of one
        with a single picture. Their mean over all pictures is 1, so that the loss and the learning
        rate keep their scale.

    Examples
    --------
    >>> class_weights(np.array([90, 10])).round(2)
    array([0.77, 3.1 ], dtype=float32)
    """
    return of_mean_one(np.maximum(counts, 1) ** -POWER, counts)


def weights_of(dataset: Dataset) -> NDArray[np.float32]:
    """The weights of a dataset's classes, float32 (C,), by the sizes in its train split.

    Distorted copies count as pictures: there are as many of every original, which leaves the
    weights as they are.
    """
    return class_weights(np.bincount(dataset.train.labels, minlength=len(dataset.classes)))


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

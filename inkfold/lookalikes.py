"""Classes that look alike: how far apart their means are, against how far each is spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LISTED = 20
FEW = 5  # a class with fewer pictures has no spread worth the name


@dataclass(frozen=True)
class Alike:
    """Two classes (numbers), and the distance of their means over the spread around them."""

    one: int
    other: int
    distance: float


def lookalikes(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], classes: int
) -> tuple[Alike, ...]:
    """The pairs of classes that look most alike, the nearest first; at most 20.

    Parameters
    ----------
    vectors : float32 array of shape (N, k)
    labels : int32 array of shape (N,)
    classes : int

    Notes
    -----
    The spread of a pair is the root of the mean of both classes' mean squared distances from their
    own means. Of two classes drawn from the same pictures the distance nears 0.
    """
    count = np.bincount(labels, minlength=classes)
    known = np.flatnonzero(count >= FEW)
    if len(known) < 2:
        return ()
    sums = np.stack([np.bincount(labels, axis, classes) for axis in vectors.T], axis=1)
    means = sums[known] / count[known, None]
    length = np.bincount(labels, np.square(vectors, dtype=np.float64).sum(axis=1), classes)
    spread = np.maximum(length[known] / count[known] - np.square(means).sum(axis=1), 1e-12)
    square = np.square(means).sum(axis=1)
    apart = np.maximum(square[:, None] + square - 2 * means @ means.T, 0)
    distance = np.sqrt(apart / ((spread[:, None] + spread) / 2))
    one, other = np.triu_indices(len(known), 1)
    order = np.argsort(distance[one, other], kind="stable")[:LISTED]
    pairs = zip(one[order].tolist(), other[order].tolist(), strict=True)
    return tuple(Alike(int(known[a]), int(known[b]), float(distance[a, b])) for a, b in pairs)

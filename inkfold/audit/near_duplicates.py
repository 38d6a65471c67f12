"""Nearly the same picture in two splits: neighbours first, then pixel against pixel.

Twice the same scan, saved anew, shifted by a pixel or with a little noise, is one picture to a
network and two to a digest. Neighbours among the embeddings are candidates; what decides is the
correlation of the pixels themselves, for two people's strokes may be alike in a small blurred
picture, and hardly ever in every pixel (docs/audit.md has the counts).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 0.25  # distance of two embeddings up to which they are compared pixel by pixel
NEAREST = 3  # that are compared
SAME = 0.99  # correlation from which two pictures are called nearly the same
ROWS = 1024  # queries at once
MOST = 4_000_000_000  # pairs of embeddings that are compared; of a larger set a sample
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """Pairs of nearly the same pictures in two splits.

    `pairs` int64 (p, 2): places of the picture in the later split and of that in the earlier one;
    `correlation` float64 (p,), descending; `asked` of `outside` pictures of validation and test
    were looked at.
    """

    pairs: Places
    correlation: NDArray[np.float64]
    asked: int
    outside: int


def near_duplicates(
    vectors: NDArray[np.float32],
    split: NDArray[np.int8],
    counted: NDArray[np.bool_],
    number: NDArray[np.int64],
    pictures: Callable[[Places], NDArray[np.uint8]],
    *,
    seed: int = 0,
    most: int = MOST,
) -> Near:
    """Find them between train and validation, and between these and test.

    Parameters
    ----------
    vectors : float32 array of shape (N, k)
        The embeddings.
    split : int8 array of shape (N,)
    counted : bool array of shape (N,)
        The others are not looked at.
    number : int64 array of shape (N,)
        The same for pictures with exactly the same pixels, which are no near duplicates; else -1.
    pictures : callable
        Gives the pictures at some places, uint8 (n, H, W).
    seed : int
        Draws the sample of a set that is too large.
    most : int
        Pairs of embeddings to compare at most.
    """
    outside = np.flatnonzero(counted & (split > 0))
    earlier = {part: np.flatnonzero(counted & (split < part)) for part in (1, 2)}
    asked = _sample(
        outside, sum(len(earlier[part]) for part in split[outside].tolist()), most, seed
    )
    found = [
        _neighbours(vectors, asked[split[asked] == part], among) for part, among in earlier.items()
    ]
    pairs = np.concatenate(found)
    alike = number[pairs]
    pairs = pairs[(alike[:, 0] < 0) | (alike[:, 0] != alike[:, 1])]
    correlation = _correlations(pairs, pictures)
    order = np.argsort(-correlation, kind="stable")
    order = order[correlation[order] >= SAME]
    once = np.sort(np.unique(pairs[order, 0], return_index=True)[1])
    return Near(pairs[order[once]], correlation[order[once]], len(asked), len(outside))


def _sample(outside: Places, total: int, most: int, seed: int) -> Places:
    """As many of the pictures as make `most` of the `total` pairs."""
    if total <= most:
        return outside
    share = max(1, len(outside) * most // total)
    return np.sort(np.random.default_rng(seed).choice(outside, share, replace=False))


def _neighbours(vectors: NDArray[np.float32], asked: Places, among: Places) -> Places:
    """Pairs (p, 2) of those asked for and up to three of `among` within reach."""
    if not len(asked) or not len(among):
        return np.empty((0, 2), np.int64)
    others = vectors[among]
    length = np.square(others).sum(axis=1)
    pairs = []
    for start in range(0, len(asked), ROWS):
        here = asked[start : start + ROWS]
        own = np.square(vectors[here]).sum(axis=1)
        square = vectors[here] @ (-2 * others.T)
        square += length
        close = np.flatnonzero(square.min(axis=1) + own <= REACH**2)
        few = min(NEAREST, len(among))
        nearest = np.argpartition(square[close], few - 1, axis=1)[:, :few]
        within = square[close[:, None], nearest] + own[close, None] <= REACH**2
        row, column = np.nonzero(within)
        pairs.append(np.stack([here[close[row]], among[nearest[row, column]]], axis=1))
    return np.concatenate(pairs)


def _correlations(
    pairs: Places, pictures: Callable[[Places], NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """Of each pair, float64 (p,)."""
    if not len(pairs):
        return np.empty(0)
    needed, at = np.unique(pairs, return_inverse=True)
    images = pictures(needed)
    return np.array([correlation(images[a], images[b]) for a, b in at.reshape(pairs.shape)])


def correlation(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Of the pixels, -1 to 1; the best over shifts by up to a 28th of the side."""
    reach = max(1, round(one.shape[0] / 28))
    padded = cv2.copyMakeBorder(one, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    return float(cv2.matchTemplate(padded, other, cv2.TM_CCOEFF_NORMED).max())

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
SIDE = 14  # of the small picture
AXES = 32
FITTED = 10_000  # pictures that the axes are found with, at most
Vectors = NDArray[np.float32]


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


def embed(images: NDArray[np.uint8]) -> Vectors:
    """Pictures, uint8 (n, H, W), as vectors of length 1: float32 (n, 196).

    The centre of mass is put in the middle, so that a shifted picture is near its original; the
    blur takes away noise.
    """
    small = np.stack([_small(image) for image in images])
    vectors = small.reshape(len(images), -1).astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Centred, blurred by a 28th of the side, shrunk: uint8 (14, 14)."""
    height, width = image.shape
    moments = cv2.moments(image)
    if mass := moments["m00"]:
        down = (height - 1) / 2 - moments["m01"] / mass
        right = (width - 1) / 2 - moments["m10"] / mass
        move = np.array([[1, 0, right], [0, 1, down]], np.float32)
        image = np.asarray(cv2.warpAffine(image, move, (width, height)), np.uint8)
    blurred = cv2.GaussianBlur(image, (0, 0), max(height / 28, 0.5))
    return np.asarray(cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class Axes:
    """Main axes of some vectors: `centre` (196,), `axes` (196, k)."""

    centre: Vectors
    axes: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        """Along the axes: float32 (n, k)."""
        return np.asarray((vectors - self.centre) @ self.axes, np.float32)


def main_axes(vectors: Vectors) -> Axes:
    """The 32 directions in which the vectors differ most (principal components)."""
    centre = vectors.mean(axis=0)
    away = (vectors - centre).astype(np.float64)
    _, directions = np.linalg.eigh(away.T @ away)
    return Axes(centre, directions[:, ::-1][:, :AXES].astype(np.float32))

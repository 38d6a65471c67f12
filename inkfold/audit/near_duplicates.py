"""Nearly the same picture in two splits: neighbours first, then pixel against pixel.

The same scan twice, saved anew, shifted by a pixel or with a little noise, is one picture to a
network and two to a digest. Candidates are neighbours among the embeddings: small, centred, blurred
pictures, along the main axes of the set. The correlation of the pixels themselves decides, because
two people's strokes may be alike in a small blurred picture, and hardly ever in every pixel
(docs/audit.md has the counts).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.originals import Places

SIDE = 14  # height and width of the small picture, in pixels
AXES = 32  # numbers in an embedding
FITTED = 10_000  # pictures that the axes are found with, at most
REACH = 0.25  # distance of two embeddings up to which the pictures are compared pixel by pixel
NEAREST = 3  # neighbours of a picture that are compared, at most
SAME = 0.99  # correlation from which two pictures are called nearly the same
ROWS, AMONG = 1024, 1 << 14  # pictures whose neighbours are sought at once, and among how many
LOADED = 1 << 28  # bytes of pictures that are compared pixel by pixel at once
MOST = 4_000_000_000  # pairs of embeddings that are compared; of a larger set a sample is drawn
Vectors = NDArray[np.float32]
Pictures = Callable[[Places], NDArray[np.uint8]]


class Taken(Protocol):
    """Vectors that are taken by ascending places: an array, or `Embeddings`."""

    def __getitem__(self, places: Places, /) -> Vectors: ...


@dataclass(frozen=True, kw_only=True)
class Near:
    """Pairs of nearly the same pictures in two splits.

    Attributes
    ----------
    pairs : int64 array of shape (p, 2)
        Places of the picture in the later split and of its like in an earlier split.
    correlation : float64 array of shape (p,)
        Of each pair, the largest first.
    asked, outside : int
        How many pictures of validation and test were looked at, and how many there are.
    """

    pairs: Places
    correlation: NDArray[np.float64]
    asked: int
    outside: int


def near_duplicates(
    vectors: Taken,
    split: NDArray[np.int8],
    counted: NDArray[np.bool_],
    number: NDArray[np.int64],
    pictures: Pictures,
    *,
    seed: int = 0,
    most: int = MOST,
) -> Near:
    """Pairs of nearly the same pictures in train and validation, and in either of them and test.

    Parameters
    ----------
    vectors : float32 array of shape (N, k), or Embeddings
        The embeddings along the main axes.
    split : int8 array of shape (N,)
    counted : bool array of shape (N,)
        The others are not looked at.
    number : int64 array of shape (N,)
        As in `Repeats`: pictures with equal pixels are no near duplicates.
    pictures : callable
        Gives the pictures at some places, uint8 (n, H, W).
    seed : int
        Draws the sample of a set that is too large.
    most : int
        Pairs of embeddings to compare at most.
    """
    outside = np.flatnonzero(counted & (split > 0))
    own = split[outside]
    earlier = {part: int(np.count_nonzero(counted & (split < part))) for part in (1, 2)}
    total = sum(int(np.count_nonzero(own == part)) * count for part, count in earlier.items())
    asked = _sample(outside, total, most, seed)
    pairs = np.concatenate(
        [
            _neighbours(
                vectors,
                asked[split[asked] == part],
                np.flatnonzero(counted & (split < part)),
            )
            for part in earlier
        ]
    )
    same = number[pairs]
    pairs = pairs[(same[:, 0] < 0) | (same[:, 0] != same[:, 1])]
    correlation = _correlations(pairs, pictures)
    order = np.argsort(-correlation, kind="stable")
    order = order[correlation[order] >= SAME]
    once = np.sort(np.unique(pairs[order, 0], return_index=True)[1])
    return Near(
        pairs=pairs[order[once]],
        correlation=correlation[order[once]],
        asked=len(asked),
        outside=len(outside),
    )


def _sample(outside: Places, total: int, most: int, seed: int) -> Places:
    """As many of the pictures `outside` train as make `most` of the `total` pairs."""
    if total <= most:
        return outside
    share = max(1, len(outside) * most // total)
    return np.sort(np.random.default_rng(seed).choice(outside, share, replace=False))


def _neighbours(vectors: Taken, asked: Places, among: Places) -> Places:
    """Pairs (p, 2) of a picture that is asked about and one of its neighbours in `among`.

    A picture has up to three neighbours, all within a distance of 0.25. Both are gone through by
    parts, so that what is compared at once stays small.
    """
    if not len(asked) or not len(among):
        return np.empty((0, 2), np.int64)
    pairs = []
    for start in range(0, len(asked), ROWS):
        queries = asked[start : start + ROWS]
        row, place = _nearest(vectors[queries], vectors, among)
        pairs.append(np.stack([queries[row], place], axis=1))
    return np.concatenate(pairs)


def _nearest(
    queries: Vectors, vectors: Taken, among: Places
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each query its up to three nearest neighbours: the query's row, and their places."""
    own = np.square(queries).sum(axis=1)
    rows, places, squares = [], [], []
    for start in range(0, len(among), AMONG):
        part = among[start : start + AMONG]
        others = vectors[part]
        square = queries @ (-2 * others.T)
        square += np.square(others).sum(axis=1)  # the squared distance, less the query's own length
        close = np.flatnonzero(square.min(axis=1) + own <= REACH**2)
        count = min(NEAREST, len(part))
        nearest = np.argpartition(square[close], count - 1, axis=1)[:, :count]
        distance = square[close[:, None], nearest] + own[close, None]
        row, column = np.nonzero(distance <= REACH**2)
        rows.append(close[row])
        places.append(part[nearest[row, column]])
        squares.append(distance[row, column])
    row, place, square = map(np.concatenate, (rows, places, squares))
    order = np.lexsort((square, row)) if len(rows) > 1 else np.arange(len(row))
    row, place = row[order], place[order]
    first = np.searchsorted(row, row)  # where each query's neighbours begin
    kept = np.arange(len(row)) - first < NEAREST
    return row[kept], place[kept]


def _correlations(pairs: Places, pictures: Pictures) -> NDArray[np.float64]:
    """The correlation of each pair, float64 (p,); so many pictures at once as fit into 256 MiB."""
    if not len(pairs):
        return np.empty(0)
    size = pictures(pairs[0, :1]).nbytes
    together = max(1, LOADED // (2 * size))
    found = []
    for start in range(0, len(pairs), together):
        some = pairs[start : start + together]
        needed, index = np.unique(some, return_inverse=True)
        images = pictures(needed)
        found += [correlation(images[a], images[b]) for a, b in index.reshape(some.shape)]
    return np.array(found)


def correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Correlation of two pictures' pixels, -1 to 1, at the best shift by up to 1/28 of the side."""
    reach = max(1, round(first.shape[0] / 28))
    padded = cv2.copyMakeBorder(first, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    return float(cv2.matchTemplate(padded, second, cv2.TM_CCOEFF_NORMED).max())


def embed(images: NDArray[np.uint8]) -> Vectors:
    """Pictures, uint8 (n, H, W), as vectors of length 1: float32 (n, 196).

    The centre of mass is put in the middle, so that a shifted picture is near its original; the
    blur removes noise.
    """
    small = np.stack([_small(image) for image in images])
    vectors = small.reshape(len(images), -1).astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture centred, blurred by a 28th of its side and shrunk: uint8 (14, 14)."""
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
    """The main axes of some vectors.

    Attributes
    ----------
    centre : float32 array of shape (196,)
        Mean of the vectors.
    axes : float32 array of shape (196, k)
        Orthogonal directions of length 1.
    """

    centre: Vectors
    axes: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        """The coordinates of vectors along the axes: float32 (n, k)."""
        return np.asarray((vectors - self.centre) @ self.axes, np.float32)


def main_axes(vectors: Vectors) -> Axes:
    """The 32 directions in which the vectors differ most (principal components)."""
    # not by the PCA of explore/projection: its full SVD of so many pictures takes several times as
    # long and rounds otherwise, so that neighbours at the very edge of `REACH` would change
    centre = vectors.mean(axis=0)
    away = (vectors - centre).astype(np.float64)
    _, directions = np.linalg.eigh(away.T @ away)
    return Axes(centre, directions[:, ::-1][:, :AXES].astype(np.float32))

"""Pictures that cannot be what they should: blank, nearly blank, inside out, cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.picture import CONTRAST, Mask

FAINT = 0.1  # of the median ink of the class
INK = 128  # a pixel from here on is ink
MUCH = 0.5  # share of ink from which a picture may be inside out
MORE = 2.0  # times the median ink of the class
LISTED = 20
FEW = 5  # a class with fewer pictures has no spread worth the name


@dataclass(frozen=True)
class Ink:
    """Where the ink is in some pictures.

    `share` float32 (n,) mean of the pixels over 255; `contrast` uint8 (n,) largest less smallest
    pixel; `frame` and `edge` uint8 (n,) median and largest of the outermost rows and columns.
    """

    share: NDArray[np.float32]
    contrast: NDArray[np.uint8]
    frame: NDArray[np.uint8]
    edge: NDArray[np.uint8]


@dataclass(frozen=True)
class Faults:
    """Which pictures have what fault, bool (N,) each; a blank one has no other."""

    blank: Mask
    faint: Mask
    inverted: Mask
    cut: Mask


def measure(images: NDArray[np.uint8]) -> Ink:
    """Measure pictures, uint8 (n, H, W)."""
    frame = np.concatenate(
        [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1
    )
    middle = frame.shape[1] // 2
    return Ink(
        images.mean(axis=(1, 2), dtype=np.float32) / 255,
        np.ptp(images, axis=(1, 2)),
        np.partition(frame, middle, axis=1)[:, middle],
        frame.max(axis=1),
    )


def joined_ink(parts: list[Ink]) -> Ink:
    """The measures of several blocks as one."""
    names = ("share", "contrast", "frame", "edge")
    return Ink(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def faults_of(ink: Ink, labels: NDArray[np.int32]) -> Faults:
    """Find the faults; how much ink is usual is the median of the picture's own class.

    Parameters
    ----------
    ink : Ink
    labels : int32 array of shape (N,)
    """
    blank = ink.contrast < CONTRAST
    usual = _medians(ink.share, labels, ~blank)
    heavy = (ink.share > MUCH) & (ink.share > MORE * usual)
    inverted = ~blank & ((ink.frame >= INK) | heavy)
    faint = ~blank & (ink.share < FAINT * usual)
    return Faults(blank, faint, inverted, ~blank & ~inverted & (ink.edge >= INK))


def _medians(
    share: NDArray[np.float32], labels: NDArray[np.int32], counted: Mask
) -> NDArray[np.float32]:
    """For each picture the median of its class over the counted ones; 0 where there are none."""
    order = np.flatnonzero(counted)
    order = order[np.argsort(labels[order], kind="stable")]
    present, starts = np.unique(labels[order], return_index=True)
    found = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    for label, values in zip(present, np.split(share[order], starts[1:]), strict=False):
        found[label] = np.median(values)
    return found[labels]


@dataclass(frozen=True)
class Repeats:
    """What is repeated, of N pictures.

    `number` int64 (N,) is the same for pictures with the same pixels, -1 for those that are like no
    other. Of the rest, bool (N,): `again` whether the pixels came before in the same split,
    `across` whether they are in another split too, `conflicting` whether they are under another
    label too.
    """

    number: NDArray[np.int64]
    again: Mask
    across: Mask
    conflicting: Mask


def repeats_of(
    digest: NDArray[np.uint64],
    split: NDArray[np.int8],
    label: NDArray[np.int32],
    counted: Mask,
) -> Repeats:
    """Compare all pictures by the digests of their pixels.

    Parameters
    ----------
    digest : uint64 array of shape (N, 2)
    split : int8 array of shape (N,)
    label : int32 array of shape (N,)
    counted : bool array of shape (N,)
        The others are like no other: blank pictures are all the same, and said apart.
    """
    places = np.flatnonzero(counted)
    _, of, count = np.unique(digest[places], axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    several = count[of] > 1
    places, of = places[several], of[several]
    number = np.full(len(digest), -1, np.int64)
    number[places] = np.unique(of, return_inverse=True)[1].reshape(-1)
    masks = [np.zeros(len(digest), bool) for _ in range(3)]
    masks[0][places] = _later(of, split[places])
    masks[1][places] = _differ(of, split[places])
    masks[2][places] = _differ(of, label[places])
    return Repeats(number, *masks)


def _differ(of: NDArray[np.int64], value: NDArray[np.int8] | NDArray[np.int32]) -> Mask:
    """Whether `value` is not the same throughout the set that each one is of."""
    size = int(of.max(initial=-1)) + 1
    high = np.full(size, -1, np.int64)
    low = np.full(size, np.iinfo(np.int64).max)
    np.maximum.at(high, of, value)
    np.minimum.at(low, of, value)
    return np.asarray(high[of] != low[of])


def _later(of: NDArray[np.int64], split: NDArray[np.int8]) -> Mask:
    """Whether one of the same set and split came before."""
    first = np.unique(of * 4 + split, return_index=True)[1]
    later = np.ones(len(of), bool)
    later[first] = False
    return later


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

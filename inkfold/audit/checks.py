"""Three checks that need no network: faulty pictures, repeated pixels, classes that look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.picture import CONTRAST, Mask

FAINT = 0.1  # times the median ink of its class, below which a picture is nearly blank
INK = 128  # level from which a pixel is ink
MUCH = 0.5  # share of ink above which a picture may be inside out,
MORE = 2.0  # if it is also above so many times the median ink of its class
LISTED = 20  # pairs of classes that look alike, at most
STEP = 1 << 16  # pictures that are looked at together
FEW = 5  # a class with fewer pictures has no spread worth the name


@dataclass(frozen=True, kw_only=True)
class Ink:
    """Where the ink is in n pictures.

    Attributes
    ----------
    share : float32 array of shape (n,)
        Mean of the pixels over 255.
    contrast : uint8 array of shape (n,)
        The largest pixel less the smallest.
    frame, edge : uint8 arrays of shape (n,)
        Median and largest of the pixels in the outermost rows and columns.
    """

    share: NDArray[np.float32]
    contrast: NDArray[np.uint8]
    frame: NDArray[np.uint8]
    edge: NDArray[np.uint8]

    def put(self, places: slice, part: Ink) -> None:
        """Put the measures of some pictures in their places."""
        self.share[places] = part.share
        self.contrast[places] = part.contrast
        self.frame[places] = part.frame
        self.edge[places] = part.edge


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Which of N pictures have which fault; a blank picture has no other.

    Attributes
    ----------
    blank : bool array of shape (N,)
        All pixels lie within 15 grey levels.
    faint : bool array of shape (N,)
        Less than a tenth of the median ink of the class.
    inverted : bool array of shape (N,)
        Ink and paper may be exchanged.
    cut : bool array of shape (N,)
        Ink in the outermost rows or columns.
    """

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
        share=images.mean(axis=(1, 2), dtype=np.float32) / 255,
        contrast=np.ptp(images, axis=(1, 2)),
        frame=np.partition(frame, middle, axis=1)[:, middle],
        edge=frame.max(axis=1),
    )


def empty_ink(count: int) -> Ink:
    """The measures of so many pictures, to be put in."""
    contrast, frame, edge = (np.empty(count, np.uint8) for _ in range(3))
    return Ink(share=np.empty(count, np.float32), contrast=contrast, frame=frame, edge=edge)


def faults_of(ink: Ink, labels: NDArray[np.int32]) -> Faults:
    """The faults of N pictures; the usual ink is the median of the picture's own class.

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
    cut = ~blank & ~inverted & (ink.edge >= INK)
    return Faults(blank=blank, faint=faint, inverted=inverted, cut=cut)


def _medians(
    share: NDArray[np.float32], labels: NDArray[np.int32], counted: Mask
) -> NDArray[np.float32]:
    """For each picture the median of its class over the counted pictures; 0 where none is."""
    order = np.argsort(labels, kind="stable")
    order = order[counted[order]]
    present, starts = np.unique(labels[order], return_index=True)
    medians = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    for label, values in zip(present, np.split(share[order], starts[1:]), strict=False):
        medians[label] = np.median(values)
    return medians[labels]


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Which of N pictures have the very pixels of another.

    Attributes
    ----------
    number : int64 array of shape (N,)
        Equal for pictures with equal pixels; -1 for a picture whose pixels are unique.
    again : bool array of shape (N,)
        Whether the pixels came before in the same split.
    across : bool array of shape (N,)
        Whether the pixels are in another split too.
    conflicting : bool array of shape (N,)
        Whether the pixels are under another label too.
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
        The others count as unique: blank pictures all look the same, and are reported by
        themselves.
    """
    places = _candidates(digest, counted)
    _, group, count = np.unique(digest[places], axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    repeated = count[group] > 1
    places, group = places[repeated], group[repeated]
    number = np.full(len(digest), -1, np.int64)
    number[places] = np.unique(group, return_inverse=True)[1].reshape(-1)
    again, across, conflicting = (np.zeros(len(digest), bool) for _ in range(3))
    again[places] = _came_before(group, split[places])
    across[places] = _differs(group, split[places])
    conflicting[places] = _differs(group, label[places])
    return Repeats(number=number, again=again, across=across, conflicting=conflicting)


def _candidates(digest: NDArray[np.uint64], counted: Mask) -> NDArray[np.int64]:
    """The counted pictures whose digest begins as another one's does; few, where few repeat."""
    begins = digest[counted, 0]
    begins.sort()
    twice = np.unique(begins[1:][begins[1:] == begins[:-1]])
    del begins
    if not len(twice):
        return np.empty(0, np.int64)
    found = []
    for start in range(0, len(digest), STEP):
        part = digest[start : start + STEP, 0]
        at = np.minimum(np.searchsorted(twice, part), len(twice) - 1)
        same = (twice[at] == part) & counted[start : start + STEP]
        found.append(np.flatnonzero(same) + start)
    return np.concatenate(found)


def _differs(group: NDArray[np.int64], value: NDArray[np.int8] | NDArray[np.int32]) -> Mask:
    """For each picture whether `value` differs within its group."""
    size = int(group.max(initial=-1)) + 1
    high = np.full(size, -1, np.int64)
    low = np.full(size, np.iinfo(np.int64).max)
    np.maximum.at(high, group, value)
    np.minimum.at(low, group, value)
    return np.asarray(high[group] != low[group])


def _came_before(group: NDArray[np.int64], split: NDArray[np.int8]) -> Mask:
    """For each picture whether an earlier one has the same group and split."""
    first = np.unique(group * 4 + split, return_index=True)[1]
    later = np.ones(len(group), bool)
    later[first] = False
    return later


@dataclass(frozen=True)
class Alike:
    """Two classes that look alike.

    Attributes
    ----------
    labels : (int, int)
        The lower one first.
    distance : float
        Between the means of the two classes, in units of the spread around them.
    """

    labels: tuple[int, int]
    distance: float


class ClassSums:
    """What `lookalikes` needs to know of each class, added up block by block.

    The sums are those of all vectors one after the other, bit for bit, however they are cut.

    Parameters
    ----------
    classes : int
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self.count = np.zeros(classes, np.int64)
        self.length = np.zeros(classes)
        self.sums = np.zeros((classes, 0))

    def add(self, vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> None:
        """Add vectors, float32 (n, k), of pictures with these labels (n,)."""
        if not self.sums.shape[1]:
            self.sums = np.zeros((self._classes, vectors.shape[1]))
        self.count += np.bincount(labels, minlength=self._classes)
        columns = [
            self._on(self.sums[:, axis], labels, vectors[:, axis])
            for axis in range(vectors.shape[1])
        ]
        self.sums = np.stack(columns, axis=1)
        squares = np.square(vectors, dtype=np.float64).sum(axis=1)
        self.length = self._on(self.length, labels, squares)

    def _on(
        self, before: NDArray[np.float64], labels: NDArray[np.int32], values: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """The sums by class of what was added before and these values."""
        every = np.concatenate([np.arange(self._classes), labels])
        weights = np.concatenate([before, values])
        return np.asarray(np.bincount(every, weights, self._classes), np.float64)


def lookalikes(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], classes: int
) -> tuple[Alike, ...]:
    """The pairs of classes that look most alike, as `nearest_classes` gives them.

    Parameters
    ----------
    vectors : float32 array of shape (N, k)
    labels : int32 array of shape (N,)
    classes : int
    """
    sums = ClassSums(classes)
    sums.add(vectors, labels)
    return nearest_classes(sums)


def nearest_classes(added: ClassSums) -> tuple[Alike, ...]:
    """The pairs of classes that look most alike, the nearest first; at most 20.

    Notes
    -----
    The spread of a pair is the root of the mean of both classes' mean squared distances from their
    own means. Of two classes drawn from the same pictures the distance nears 0.
    """
    count = added.count
    known = np.flatnonzero(count >= FEW)
    if len(known) < 2:
        return ()
    means = added.sums[known] / count[known, None]
    length = added.length
    spread = np.maximum(length[known] / count[known] - np.square(means).sum(axis=1), 1e-12)
    square = np.square(means).sum(axis=1)
    apart = np.maximum(square[:, None] + square - 2 * means @ means.T, 0)
    distance = np.sqrt(apart / ((spread[:, None] + spread) / 2))
    first, second = np.triu_indices(len(known), 1)
    order = np.argsort(distance[first, second], kind="stable")[:LISTED]
    pairs = zip(first[order].tolist(), second[order].tolist(), strict=True)
    return tuple(Alike((int(known[a]), int(known[b])), float(distance[a, b])) for a, b in pairs)

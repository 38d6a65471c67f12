"""The plan of a dataset: which pictures, in which split, in which order; from arrays alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.packing.scan import Listing, Tally
from inkfold.packing.split import Groups, Leaders, assign, hashed, joined, leaders_of, repeated
from inkfold.packing.stage import Staged
from inkfold.picture_files import readable
from inkfold.spec import SPLITS, TEST, TRAIN, ImageSpec

NONE = -1
Fractions = tuple[float, float, float]
Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Official:
    """A set's own split.

    Parameters
    ----------
    side : int8 array of shape (N,)
        `TRAIN`, `TEST`, or `NONE` for a picture that is on neither side.
    fractions : three numbers from 0 that add up to 1, the last of them 0
        By which its train is divided.
    """

    side: NDArray[np.int8]
    fractions: Fractions

    def of(self, rows: NDArray[np.integer[Any]]) -> Official:
        """The same of some pictures only."""
        return Official(self.side[rows], self.fractions)


def divide(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: Leaders,
    fractions: Fractions,
    seed: int,
    *,
    official: Official,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    The test pictures of the set stay where they are. Its training pictures are divided into train
    and validation, and those that are on neither side into all three, each by `split.assign`. What
    has to stay together does, as far as the set itself has not put it on both sides.

    Parameters
    ----------
    labels, content, leaders, fractions, seed
        As `split.assign` takes them.
    official : Official

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """
    split = np.full(len(labels), TEST, np.int8)
    for side, shares in ((TRAIN, official.fractions), (NONE, fractions)):
        rows = np.flatnonzero(official.side == side)
        if len(rows):
            _, dense = np.unique(labels[rows], return_inverse=True)
            mates = leaders_of(leaders[rows])
            split[rows] = assign(dense.astype(np.int32), content[rows], mates, shares, seed)
    return split


def on_both_sides(
    ids: NDArray[np.int32] | NDArray[np.int64], split: NDArray[np.int8]
) -> NDArray[np.int32] | NDArray[np.int64]:
    """The ids, ascending, that pictures of test have and pictures of other splits too."""
    test = split == TEST
    return np.intersect1d(ids[test], ids[~test])


def missing_splits(
    classes: tuple[str, ...],
    labels: NDArray[np.int32],
    split: NDArray[np.int8],
    wanted: NDArray[np.bool_],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The classes that have no picture in some of the `wanted` splits, with the names of these.

    `labels` are ascending, and every one is there.
    """
    starts = np.searchsorted(labels, np.arange(len(classes), dtype=labels.dtype))
    have = [np.add.reduceat(split == s, starts, dtype=np.int64) for s in range(3)]
    lacks = (np.transpose(have) == 0) & wanted
    return tuple(
        (classes[label], tuple(SPLITS[s] for s in np.flatnonzero(lacks[label])))
        for label in np.flatnonzero(lacks.any(axis=1))
    )


@dataclass(frozen=True)
class Packing:
    """How to pack; the same folder and the same of these give the same bytes.

    Parameters
    ----------
    spec : ImageSpec
    fractions : three numbers from 0 that add up to 1
        Train, validation and test.
    seed : int
    per_class : int, optional
        Keep at most so many pictures of a class, drawn by a hash.
    group_by : str, optional
        Regular expression, searched in a picture's path under the folder. Pictures with the same
        first capture (or match, when it has no parentheses) stay in one split.
    min_per_class : int
        Leave out classes with fewer pictures; at least 1.
    allow_bad : float
        Per cent of the files that may be unreadable.
    """

    spec: ImageSpec = field(default_factory=ImageSpec)
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    per_class: int | None = None
    group_by: str | None = None
    min_per_class: int = 1
    allow_bad: float = 1.0

    def recorded(self) -> dict[str, Any]:
        """The options as the file's provenance keeps them."""
        options = asdict(self)
        spec = options.pop("spec")
        del options["allow_bad"]  # it decides whether there is a file, not what is in it
        options["split"] = options.pop("fractions")
        return options | {name: spec[name] for name in ("size", "fit", "ink", "threshold")}


@dataclass(frozen=True)
class Plan:
    """What goes into the file, and what was noticed on the way.

    `classes` in label order, `sizes` int64 (C,) how many pictures of each; `number` int32 the new
    label of each class of the listing; `orders` of train, validation and test: int32 rows of the
    listing; `empty` class folders without a
    readable picture; `dropped` classes below `min_per_class`, with their counts; `missing` classes
    and the splits in which they have no picture; `duplicates` how many pictures have the pixels of
    another; `conflicts` pairs of paths with the same pixels under two labels; `ungrouped` how many
    pictures are of no group where there are groups. Of a set's own split: `leaked` how many of its
    test pictures have the pixels of one that is not, `torn` how many groups are on both sides.
    """

    classes: tuple[str, ...]
    sizes: NDArray[np.int64]
    number: NDArray[np.int32]
    orders: tuple[Rows, ...]
    empty: tuple[str, ...]
    dropped: tuple[tuple[str, int], ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    duplicates: int
    conflicts: Tally
    ungrouped: int
    leaked: int
    torn: int


def make_plan(
    listing: Listing,
    staged: Staged,
    packing: Packing,
    groups: Groups | None = None,
    official: Official | None = None,
) -> Plan:
    """Plan the file.

    Parameters
    ----------
    listing : Listing
    staged : Staged
    packing : Packing
    groups : Groups, optional
        What stays together beside identical pictures, by row of the listing.
    official : Official, optional
        The set's own split, by row of the listing.

    Raises
    ------
    InkfoldError
        If no class is left.
    """
    count = _counted(listing, staged, packing)
    kept = count >= packing.min_per_class
    classes = tuple(name for name, keep in zip(listing.classes, kept, strict=True) if keep)
    number = (np.cumsum(kept) - 1).astype(np.int32)
    rows = _chosen(listing, staged, kept, packing)
    labels = number[listing.labels(rows)]
    leaders, twins = _identical(staged, rows, labels)
    content = staged.facts.column("file", 0)[rows]
    divided = _divided(_Pictures(rows, labels, content, leaders), packing, groups, official)
    del leaders  # arrays of this length are what grows with the number of pictures
    order = np.argsort(hashed(content, packing.seed, "rows"), kind="stable")
    del content
    found = list(zip(listing.classes, count.tolist(), strict=True))
    return Plan(
        classes,
        np.bincount(labels, minlength=len(classes)),
        number,
        tuple(rows[order[divided.split[order] == s]] for s in range(3)),
        listing.empty + tuple(name for name, n in found if n == 0),
        tuple((name, n) for name, n in found if 0 < n < packing.min_per_class),
        missing_splits(classes, labels, divided.split, divided.wanted),
        len(twins),
        _conflicts(listing, rows[twins[labels[twins[:, 0]] != labels[twins[:, 1]]]]),
        0 if groups is None else int((~groups.named[rows]).sum()),
        divided.leaked,
        divided.torn,
    )


def _counted(listing: Listing, staged: Staged, packing: Packing) -> NDArray[np.int64]:
    """How many readable pictures each class has; raises InkfoldError if none has enough."""
    starts = np.concatenate([[0], listing.ends[:-1]])
    count: NDArray[np.int64] = np.add.reduceat(staged.good, starts, dtype=np.int64)
    if count.max() < packing.min_per_class:
        raise InkfoldError(
            f"no class has {packing.min_per_class} readable pictures, the largest has "
            f"{count.max()}; add pictures or lower --min-per-class"
        )
    return count


@dataclass(frozen=True)
class _Divided:
    """Each row's split, which splits were to get pictures, and `Plan`'s `leaked` and `torn`."""

    split: NDArray[np.int8]
    wanted: NDArray[np.bool_]
    leaked: int = 0
    torn: int = 0


@dataclass(frozen=True)
class _Pictures:
    """What is divided: rows of the listing, and the label, content and leader of each."""

    rows: Rows
    labels: NDArray[np.int32]
    content: NDArray[np.uint64]
    leaders: Leaders


def _divided(
    pictures: _Pictures, packing: Packing, groups: Groups | None, official: Official | None
) -> _Divided:
    """Divide them by the fractions or by the set's own split; what is together stays so."""
    rows, together = pictures.rows, pictures.leaders
    if groups is not None:
        together = joined(leaders_of(groups.numbers[rows]), together)
    what = pictures.labels, pictures.content, together, packing.fractions, packing.seed
    if official is None:
        return _Divided(assign(*what), np.array(packing.fractions) > 0)
    split = divide(*what, official=official.of(rows))
    both = on_both_sides(pictures.leaders, split)
    leaked = np.isin(pictures.leaders[split == TEST], both).sum()
    torn = 0 if groups is None else len(on_both_sides(groups.numbers[rows], split))
    return _Divided(split, np.bincount(split, minlength=3) > 0, int(leaked), torn)


def _conflicts(listing: Listing, pairs: NDArray[np.int32]) -> Tally:
    """The paths of pairs of rows (p, 2) that have the same pixels and two labels."""
    conflicts = Tally()
    for pair in pairs:
        conflicts.add(*(readable(listing.paths[row]) for row in pair))
    return conflicts


def _chosen(listing: Listing, staged: Staged, kept: NDArray[np.bool_], packing: Packing) -> Rows:
    """The rows of the listing that go into the file, ascending."""
    starts = np.concatenate([[0], listing.ends[:-1]])
    chosen = staged.good & np.repeat(kept, listing.ends - starts)
    if packing.per_class is not None:
        content = staged.facts.column("file", 0)
        for start, stop in zip(starts, listing.ends, strict=True):
            here = start + np.flatnonzero(chosen[start:stop])
            key = hashed(content[here], packing.seed, "per class")
            chosen[here[np.argsort(key, kind="stable")[packing.per_class :]]] = False
    return np.flatnonzero(chosen).astype(np.int32)


def _identical(
    staged: Staged, rows: Rows, labels: NDArray[np.int32]
) -> tuple[Leaders, NDArray[np.int64]]:
    """Which pictures have the same pixels: leaders, and pairs of places (p, 2).

    The pairs go through the pictures of the same pixels by label: two labels are one pair.
    """
    places = repeated(staged.facts.column("pixels", 0)[rows])
    digest = staged.facts.take(rows[places])["pixels"]
    order = np.lexsort((labels[places], digest[:, 1], digest[:, 0]))
    new = np.ones(len(order), bool)
    new[1:] = (digest[order[1:]] != digest[order[:-1]]).any(axis=1)
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new)
    leaders = np.arange(len(rows), dtype=np.int32)
    leaders[places] = places[leaders_of(number)]
    again = np.flatnonzero(~new)
    return leaders, places[np.stack([order[again - 1], order[again]], axis=1)]

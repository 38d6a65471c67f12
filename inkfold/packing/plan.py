"""The plan of a dataset: which pictures, in which split, in which order; from arrays alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.url import Place
from inkfold.errors import InkfoldError
from inkfold.packing.given_split import Official, divide, in_several, leaks
from inkfold.packing.large_arrays import Rows, chosen, ordered, places_of, taken
from inkfold.packing.layout import Layout
from inkfold.packing.listing import Listing
from inkfold.packing.split import (
    Fractions,
    Groups,
    Leaders,
    assign,
    hashed,
    joined,
    leaders_of,
    repeated,
    smallest,
)
from inkfold.packing.stage import Staged
from inkfold.picture_files import readable
from inkfold.spec import SPLITS, ImageSpec
from inkfold.tally import NAMED, Tally


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How to pack; the same folder and equal options give the same bytes.

    Parameters
    ----------
    spec : ImageSpec
    settle : tuple of str
        Which of the spec's fields `fit` and `threshold` the pictures decide: where most of a
        sample are photographs they become ``ink`` and ``soft``, otherwise they stay.
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
    layout : {"auto", "classes", "splits"}
        Whether folders with the names of splits are splits; "auto" finds out.
    resplit : bool
        Divide all pictures anew, whatever split they come with.
    label_by : str, optional
        Regular expression that finds the class in a picture's path.
    labels : Path or Url, optional
        A table with the path and the class of each picture.
    columns : tuple of (str, str)
        The table's columns for "path", "label", "split" and "group".
    """

    spec: ImageSpec = field(default_factory=ImageSpec)
    settle: tuple[str, ...] = ()
    fractions: Fractions = (0.8, 0.1, 0.1)
    seed: int = 0
    per_class: int | None = None
    group_by: str | None = None
    min_per_class: int = 1
    allow_bad: float = 1.0
    layout: Layout = "auto"
    resplit: bool = False
    label_by: str | None = None
    labels: Place | None = None
    columns: tuple[tuple[str, str], ...] = ()

    def recorded(self) -> dict[str, Any]:
        """The options as the file's provenance keeps them."""
        options = asdict(self)
        spec = options.pop("spec")
        options |= {name: spec[name] for name in ("size", "fit", "ink", "threshold", "capture")}
        del options["settle"]  # what it decided is in the spec
        del options["allow_bad"]  # it decides whether there is a file, not what is in it
        options["split"] = options.pop("fractions")
        options["labels"] = None if self.labels is None else "table"  # a path would differ
        for name, usual in (
            ("layout", "auto"),
            ("resplit", False),
            ("label_by", None),
            ("labels", None),
            ("columns", ()),
            ("capture", "scan"),
        ):
            if options[name] == usual:  # of no meaning for class folders
                del options[name]
        return options


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes into the file, and what a user should know about it.

    Attributes
    ----------
    classes : tuple of str
        In label order.
    sizes : int64 array of shape (C,)
        How many pictures each class has.
    number : int32 array
        The label of each class of the listing; of no meaning for a class that is left out.
    orders : arrays of row numbers, one for each of train, validation and test
        Rows of the listing, in the order of the file.
    empty : tuple of str
        Class folders without a readable picture.
    dropped : tuple of (str, int)
        Classes with fewer pictures than `Packing.min_per_class`, with their counts.
    missing : tuple of (str, tuple of str)
        Classes, with the splits in which they have no picture.
    duplicates : int
        How many pictures repeat the pixels of another.
    conflicts : Tally
        Pairs of paths with the same pixels under two labels.
    ungrouped : int
        How many pictures have no known group; 0 where there are no groups at all.
    leaked : int
        How many pictures of a validation or test that came with the pictures have the pixels of a
        picture of another split.
    torn : int
        How many groups are in several splits that came with the pictures.
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


@dataclass(frozen=True, kw_only=True)
class _Division:
    """Where the pictures go.

    Attributes
    ----------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    wanted : bool array of shape (3,)
        Which splits were to get pictures.
    leaked, torn : int
        As in `Plan`.
    """

    split: NDArray[np.int8]
    wanted: NDArray[np.bool_]
    leaked: int = 0
    torn: int = 0


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
    counts = _counts(listing, staged, packing)
    large = counts >= packing.min_per_class
    classes = tuple(name for name, keep in zip(listing.classes, large, strict=True) if keep)
    number = (np.cumsum(large) - 1).astype(np.int32)
    rows = _chosen(listing, staged, large, packing)
    sizes = np.diff(np.searchsorted(rows, listing.ends.astype(rows.dtype)), prepend=0)[large]
    twins, pairs = _identical(listing, staged, rows)
    units = twins if groups is None else joined(leaders_of(chosen(groups.numbers, rows)), twins)
    if official is None:
        del twins  # arrays of this length are what grows with the number of pictures
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), sizes)
    content = chosen(staged.facts.column("file", 0), rows)
    given = labels, content, units, packing.fractions, packing.seed
    if official is None:
        division = _Division(split=assign(*given), wanted=np.array(packing.fractions) > 0)
    else:
        division = _kept(divide(*given, official=official.of(rows)), rows, twins, groups)
        del twins
    del given, content, units
    missing = missing_splits(classes, labels, division.split, division.wanted)
    del labels
    found = list(zip(listing.classes, counts.tolist(), strict=True))
    return Plan(
        classes=classes,
        sizes=sizes,
        number=number,
        orders=_orders(staged, rows, division.split, packing.seed),
        empty=listing.empty + tuple(name for name, size in found if size == 0),
        dropped=tuple((name, size) for name, size in found if 0 < size < packing.min_per_class),
        missing=missing,
        duplicates=len(pairs),
        conflicts=_conflicts(listing, rows[pairs]),
        ungrouped=0 if groups is None else int(np.count_nonzero(~chosen(groups.named, rows))),
        leaked=division.leaked,
        torn=division.torn,
    )


def _counts(listing: Listing, staged: Staged, packing: Packing) -> NDArray[np.int64]:
    """How many readable pictures each class has; raises InkfoldError if no class has enough."""
    starts = np.concatenate([[0], listing.ends[:-1]])
    counts: NDArray[np.int64] = np.add.reduceat(staged.good, starts, dtype=np.int64)
    if counts.max() < packing.min_per_class:
        raise InkfoldError(
            f"no class has {packing.min_per_class} readable pictures, the largest has "
            f"{counts.max()}; add pictures or lower --min-per-class"
        )
    return counts


def _chosen(listing: Listing, staged: Staged, large: NDArray[np.bool_], packing: Packing) -> Rows:
    """The rows of the listing that go into the file, ascending; `large` are the classes to keep."""
    starts = np.concatenate([[0], listing.ends[:-1]])
    keep = staged.good & np.repeat(large, listing.ends - starts)
    if packing.per_class is not None:
        content = staged.facts.column("file", 0)
        for start, stop in zip(starts.tolist(), listing.ends.tolist(), strict=True):
            rows = places_of(keep[start:stop], start)
            key = hashed(taken(content, rows), packing.seed, "per class")
            keep[rows[~smallest(key, packing.per_class)]] = False
    return places_of(keep)


def _identical(listing: Listing, staged: Staged, rows: Rows) -> tuple[Leaders, Rows]:
    """Which pictures have the same pixels: leaders (N,), and pairs of places in `rows` (p, 2).

    Pictures of the same pixels are taken in the order of their labels, and each makes a pair with
    the one before it: two labels next to each other in this order are in one pair.
    """
    places = repeated(chosen(staged.facts.column("pixels", 0), rows))
    digest = staged.facts.take(rows[places])["pixels"]
    order = np.lexsort((listing.labels(rows[places]), digest[:, 1], digest[:, 0]))
    new = np.ones(len(order), bool)
    new[1:] = (digest[order[1:]] != digest[order[:-1]]).any(axis=1)
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new)
    leaders = np.arange(len(rows), dtype=rows.dtype)
    leaders[places] = places[leaders_of(number)]
    again = np.flatnonzero(~new)
    return leaders, places[np.stack([order[again - 1], order[again]], axis=1)]


def _kept(split: NDArray[np.int8], rows: Rows, twins: Leaders, groups: Groups | None) -> _Division:
    """A division that keeps the split which the pictures came with, and what it separates."""
    return _Division(
        split=split,
        wanted=np.bincount(split, minlength=3) > 0,
        leaked=leaks(twins, split),
        torn=0 if groups is None else len(in_several(chosen(groups.numbers, rows), split)),
    )


def _orders(staged: Staged, rows: Rows, split: NDArray[np.int8], seed: int) -> tuple[Rows, ...]:
    """The rows of each split in the order of the file: that of a hash of seed and content."""
    order = ordered(hashed(chosen(staged.facts.column("file", 0), rows), seed, "rows"))
    splits = taken(split, order)
    return tuple(taken(rows, order[splits == place]) for place in range(3))


def missing_splits(
    classes: tuple[str, ...],
    labels: NDArray[np.int32],
    split: NDArray[np.int8],
    wanted: NDArray[np.bool_],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The classes that lack `wanted` splits, each with those; `labels` ascend, every one occurs."""
    starts = np.searchsorted(labels, np.arange(len(classes), dtype=labels.dtype))
    have = [np.add.reduceat(split == place, starts, dtype=np.int64) for place in range(3)]
    lacks = (np.transpose(have) == 0) & wanted
    return tuple(
        (classes[label], tuple(SPLITS[place] for place in np.flatnonzero(lacks[label])))
        for label in np.flatnonzero(lacks.any(axis=1))
    )


def _conflicts(listing: Listing, pairs: Rows) -> Tally:
    """The paths of those pairs of rows (p, 2) with the same pixels that have two labels."""
    labels = listing.labels(pairs)
    pairs = pairs[labels[:, 0] != labels[:, 1]]
    first = [tuple(readable(listing.paths[row]) for row in pair) for pair in pairs[:NAMED]]
    return Tally(len(pairs), [(one, other) for one, other in first])

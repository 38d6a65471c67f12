"""The plan of a dataset: which pictures, in which split, in which order; from arrays alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.folders import Listing, readable
from inkfold.grouping import identical, named_groups
from inkfold.nouns import SPLITS, ImageSpec
from inkfold.split import assign, components, hashed
from inkfold.staging import Staged
from inkfold.tally import Tally


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
        Leave out classes with fewer pictures.
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
class Order:
    """The pictures of one split in the order of the file: their staged rows, and their labels."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Plan:
    """What goes into the file, and what was noticed on the way.

    `classes` in label order, `orders` of train, validation and test; `empty` class folders without
    a readable picture; `dropped` classes below `min_per_class`, with their counts; `missing`
    classes and the splits in which they have no picture; `duplicates` how many pictures have the
    pixels of another; `conflicts` pairs of paths with the same pixels under two labels;
    `ungrouped` how many pictures `group_by` does not match.
    """

    classes: tuple[str, ...]
    orders: tuple[Order, ...]
    empty: tuple[str, ...]
    dropped: tuple[tuple[str, int], ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    duplicates: int
    conflicts: Tally
    ungrouped: int


def make_plan(listing: Listing, staged: Staged, packing: Packing) -> Plan:
    """Plan the file.

    Raises
    ------
    InkfoldError
        If no class is left.
    """
    count = np.bincount(staged.label, minlength=len(listing.classes))
    kept = count >= max(1, packing.min_per_class)
    if not kept.any():
        raise InkfoldError(
            f"no class has {packing.min_per_class} readable pictures, the largest has "
            f"{count.max()}; add pictures or lower --min-per-class"
        )
    chosen = _chosen(staged, kept, packing)
    labels = (np.cumsum(kept) - 1).astype(np.int32)[staged.label[chosen]]
    content = staged.content[chosen]
    pixels, twins = identical(staged.pixels[chosen], labels)
    conflicts = Tally()
    for one, other in twins[labels[twins[:, 0]] != labels[twins[:, 1]]]:
        pair = (listing.paths[staged.row[chosen[which]]] for which in (one, other))
        conflicts.add(*map(readable, pair))
    groups, ungrouped = pixels, 0
    if packing.group_by is not None:
        named, matched = named_groups(listing.paths, packing.group_by)
        groups = components(named[staged.row[chosen]], pixels)
        ungrouped = int((~matched[staged.row[chosen]]).sum())
    split = assign(labels, content, groups, packing.fractions, packing.seed)
    classes = tuple(n for n, keep in zip(listing.classes, kept, strict=True) if keep)
    found = list(zip(listing.classes, count.tolist(), strict=True))
    return Plan(
        classes,
        tuple(_order(chosen, labels, content, split == s, packing.seed) for s in range(3)),
        listing.empty + tuple(name for name, n in found if n == 0),
        tuple((name, n) for name, n in found if 0 < n < packing.min_per_class),
        _missing(classes, labels, split, packing.fractions),
        len(twins),
        conflicts,
        ungrouped,
    )


def _chosen(staged: Staged, kept: NDArray[np.bool_], packing: Packing) -> NDArray[np.int64]:
    """The staged pictures that go into the file, in their order."""
    chosen = np.flatnonzero(kept[staged.label])
    if packing.per_class is None:
        return chosen
    label = staged.label[chosen]
    key = hashed(staged.content[chosen], packing.seed, "per class")
    by_class = np.lexsort((key, label))
    first = np.cumsum(np.bincount(label)) - np.bincount(label)
    rank = np.arange(len(label)) - first[label[by_class]]
    return np.sort(chosen[by_class[rank < packing.per_class]])


def _order(
    chosen: NDArray[np.int64],
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    here: NDArray[np.bool_],
    seed: int,
) -> Order:
    shuffled = np.argsort(hashed(content[here], seed, "rows"), kind="stable")
    return Order(chosen[here][shuffled], labels[here][shuffled])


def _missing(
    classes: tuple[str, ...],
    labels: NDArray[np.int32],
    split: NDArray[np.int8],
    fractions: tuple[float, float, float],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    have = np.bincount(labels.astype(np.int64) * 3 + split, minlength=3 * len(classes))
    lacks = (have.reshape(-1, 3) == 0) & (np.array(fractions) > 0)
    return tuple(
        (classes[label], tuple(SPLITS[s] for s in np.flatnonzero(lacks[label])))
        for label in np.flatnonzero(lacks.any(axis=1))
    )

"""A cleaned copy of a dataset: pictures that are surely wrong are dropped, each with its reason.

There are three rules; the first that applies decides. Pictures with the same pixels under two
labels are dropped from every split: neither label can be trusted. Of pictures with the same pixels
in two splits only those in the later split stay, so that test, which published figures are about,
is whole. Blank pictures are dropped from train and validation, and stay in test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.checks import Faults, Repeats
from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.originals import Originals
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import NO_COMPANION, Rows, read_rows, writing_dataset
from inkfold.errors import InkfoldError
from inkfold.output import check_free
from inkfold.spec import SPLITS, TEST

KEPT, CONFLICT, LEAK, BLANK = range(4)
WHY = ("", "same pixels under another label", "same pixels in a later split", "blank")


@dataclass(frozen=True)
class Cleaning:
    """What is done with each original.

    Attributes
    ----------
    why : int8 array of shape (N,)
        Why it is dropped, as an index of `WHY`; 0 where it stays.
    """

    why: NDArray[np.int8]

    @property
    def dropped(self) -> dict[str, int]:
        """How many pictures are dropped, by reason."""
        counts = np.bincount(self.why, minlength=len(WHY)).tolist()
        return {"conflicts": counts[CONFLICT], "leaks": counts[LEAK], "blank": counts[BLANK]}


def check_cleanable(dataset: Dataset, output: Path, *, overwrite: bool) -> None:
    """Refuse before any work is done what cannot be cleaned or written.

    Raises
    ------
    InkfoldError
        If the dataset is augmented, or `output` is the dataset itself or exists.
    """
    if dataset.train.origin is not None:
        raise InkfoldError(
            f"{dataset.path} is augmented; clean the dataset that it was made from, then augment "
            "that again"
        )
    if output.exists() and output.samefile(dataset.path):
        raise InkfoldError(f"{output} is the dataset itself; give --fix another file")
    check_free(output, overwrite=overwrite)


def plan_cleaning(originals: Originals, faults: Faults, repeats: Repeats) -> Cleaning:
    """Decide for every original whether it stays, and why not."""
    why = np.zeros(len(originals), np.int8)
    why[faults.blank & (originals.split != TEST)] = BLANK
    repeated = np.flatnonzero(repeats.number >= 0)
    last = np.full(int(repeats.number.max(initial=-1)) + 1, -1)
    np.maximum.at(last, repeats.number[repeated], originals.split[repeated])
    earlier = originals.split[repeated] < last[repeats.number[repeated]]
    why[repeated[earlier]] = LEAK
    why[repeats.conflicting] = CONFLICT
    return Cleaning(why)


def write_cleaned(
    dataset: Dataset,
    originals: Originals,
    cleaning: Cleaning,
    output: Path,
    *,
    overwrite: bool,
    companion: AbstractContextManager[object] = NO_COMPANION,
    advance: Callable[[int], None] = lambda _rows: None,
) -> dict[str, int]:
    """Write the pictures that stay, in the order that they had.

    Parameters
    ----------
    dataset : Dataset
    originals : Originals
    cleaning : Cleaning
    output : Path
    overwrite : bool
    companion : context manager
        As of `writing_dataset`: another file about this one, which gets its name before it.
    advance : callable
        Called with the number of rows written since the last call.

    Returns
    -------
    counts : dict
        Rows of "train", "validation" and "test" in the new file.

    Raises
    ------
    InkfoldError
        As `check_cleanable`; or if a split that had pictures would be empty.
    """
    check_cleanable(dataset, output, overwrite=overwrite)
    stays = [cleaning.why[originals.split == split] == KEPT for split in range(len(SPLITS))]
    counts = {name: int(kept.sum()) for name, kept in zip(SPLITS, stays, strict=True)}
    for name, kept in zip(SPLITS, stays, strict=True):
        if len(kept) and not kept.any():
            raise InkfoldError(
                f"{dataset.path}: nothing of {name} would be left; look at the lists of -o, mend "
                "the folder that it was packed from, and pack it again"
            )
    with writing_dataset(
        output, dataset.classes, dataset.spec, overwrite=overwrite, companion=companion
    ) as writer:
        for name, split, kept in zip(SPLITS, dataset.splits, stays, strict=True):
            with writer.split(name, counts[name], like=read_rows(split.arrays, 0, 0)) as out:
                for rows in _chunks(split.arrays, kept):
                    out.append(rows)
                    advance(len(rows))
        dataset.check_unchanged()
        writer.finish(_provenance(dataset, cleaning, counts))
    return counts


def _chunks(arrays: SplitArrays, kept: NDArray[np.bool_]) -> Iterator[Rows]:
    """The rows that stay, 256 at a time; the last time there may be fewer."""
    held: Rows | None = None
    for start in range(0, len(kept), CHUNK):
        rows = read_rows(arrays, start, start + CHUNK)[kept[start : start + CHUNK]]
        held = rows if held is None else Rows.joined([held, rows])
        if len(held) >= CHUNK:
            yield held[:CHUNK]
            held = held[CHUNK:]
    if held is not None and len(held):
        yield held


def _provenance(dataset: Dataset, cleaning: Cleaning, counts: dict[str, int]) -> dict[str, Any]:
    """How the new file was made.

    The old file's record is under "cleaned_from", not under "dataset", which is for the same split.
    """
    source = dataset.provenance.get("source")
    known = {} if source is None else {"source": source}
    return known | {
        "tool": "audit",
        "counts": counts | {"classes": len(dataset.classes), "dropped": cleaning.dropped},
        "cleaned_from": dataset.provenance,
    }

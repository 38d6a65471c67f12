"""The rows of a packed file, from the scratch file that holds all images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import DatasetWriter, Rows
from inkfold.packing.large_arrays import Rows as RowNumbers
from inkfold.packing.large_arrays import taken
from inkfold.packing.listing import Listing
from inkfold.packing.plan import Plan
from inkfold.packing.scratch import Spool
from inkfold.packing.stage import Staged, StagedImages
from inkfold.picture import is_blank
from inkfold.picture_files import readable
from inkfold.spec import SPLITS
from inkfold.tally import Tally


@dataclass(frozen=True, kw_only=True)
class PackedRows:
    """Where the rows of the file come from.

    Attributes
    ----------
    listing : Listing
    staged : StagedImages
    number : int32 array
        The label of each class of the listing.
    groups : Spool, optional
        The name of each picture's group, by row of the listing; empty where it is unknown.
    """

    listing: Listing
    staged: StagedImages
    number: NDArray[np.int32]
    groups: Spool | None = None

    def write(
        self,
        writer: DatasetWriter,
        orders: Sequence[RowNumbers],
        advance: Callable[[int], None],
    ) -> Tally:
        """Write the splits, each in its order; returns the blank pictures."""
        blank = Tally()
        widths = widths_of(self.listing.paths, self.groups)
        for name, order in zip(SPLITS, orders, strict=True):
            with writer.split(name, len(order), like=self.rows(order[:0], widths)) as split:
                for start in range(0, len(order), CHUNK):
                    rows = self.rows(order[start : start + CHUNK], widths)
                    split.append(rows)
                    for source in rows.source[is_blank(rows.images)].tolist():
                        blank.add(source.decode(), "blank")
                    advance(len(rows))
        return blank

    def rows(self, chosen: RowNumbers, widths: tuple[int, int]) -> Rows:
        """Chosen rows of the listing; `widths` are the bytes of a path and of a group's name."""
        paths = [readable(self.listing.paths[row]).encode() for row in chosen.tolist()]
        names = None if self.groups is None else [self.groups[row] for row in chosen.tolist()]
        return Rows(
            images=self.staged.images.take(chosen),
            labels=self.number[self.listing.labels(chosen)],
            source=np.array(paths, f"S{widths[0]}"),
            digest=self.staged.facts.take(chosen)["pixels"].copy().view(np.uint8),
            group=None if names is None else np.array(names, f"S{widths[1]}"),
        )


def photographs_in(staged: Staged, plan: Plan) -> int:
    """How many of the packed pictures were prepared as photographs."""
    photographs = staged.facts.column("photograph", 0) != 0
    return sum(int(np.count_nonzero(taken(photographs, order))) for order in plan.orders)


def widths_of(paths: Spool, groups: Spool | None) -> tuple[int, int]:
    """The most bytes of a path and of a group's name, as the file holds them; at least 1."""
    group = max((len(name) for name in groups), default=0) if groups else 0
    return max(len(readable(path).encode()) for path in paths), max(group, 1)

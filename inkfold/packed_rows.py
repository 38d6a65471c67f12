"""The rows of a dataset file from what was staged, in the order that was planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import CHUNK
from inkfold.dataset.writer import DatasetWriter, Rows
from inkfold.packing.scan import Listing
from inkfold.packing.scratch import Spool
from inkfold.packing.stage import Staged
from inkfold.picture import is_blank
from inkfold.picture_files import readable
from inkfold.spec import SPLITS
from inkfold.tally import Tally


@dataclass(frozen=True)
class PackedRows:
    """Where the rows of the file come from.

    `number` int32 is the label of each class of the listing; `groups` the names of all its files'
    groups, where there are any.
    """

    listing: Listing
    staged: Staged
    number: NDArray[np.int32]
    groups: Spool | None = None

    def write(
        self,
        writer: DatasetWriter,
        orders: Sequence[NDArray[np.int32]],
        advance: Callable[[int], None],
    ) -> Tally:
        """Write the splits, each in its order; gives the blank pictures."""
        blank = Tally()
        width = max(len(readable(path).encode()) for path in self.listing.paths)
        group_width = max((len(name) for name in self.groups), default=0) if self.groups else 0
        widths = width, max(group_width, 1)
        for name, order in zip(SPLITS, orders, strict=True):
            with writer.split(name, len(order), like=self.rows(order[:0], widths)) as split:
                for start in range(0, len(order), CHUNK):
                    rows = self.rows(order[start : start + CHUNK], widths)
                    split.append(rows)
                    for source in rows.source[is_blank(rows.images)].tolist():
                        blank.add(source.decode(), "blank")
                    advance(len(rows))
        return blank

    def rows(self, chosen: NDArray[np.int32], widths: tuple[int, int]) -> Rows:
        """Rows of the listing, with paths and groups of up to so many bytes."""
        paths = [readable(self.listing.paths[row]).encode() for row in chosen.tolist()]
        names = None if self.groups is None else [self.groups[row] for row in chosen.tolist()]
        return Rows(
            self.staged.images.take(chosen),
            self.number[self.listing.labels(chosen)],
            np.array(paths, f"S{widths[0]}"),
            self.staged.facts.take(chosen)["pixels"].copy().view(np.uint8),
            group=None if names is None else np.array(names, f"S{widths[1]}"),
        )

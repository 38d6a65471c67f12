"""The pictures of a dataset to be, row by row: paths, classes, and what else is known of each."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inkfold.packing.large_arrays import Rows, gathered, taken
from inkfold.packing.scratch import Spool
from inkfold.tally import Tally

NO_SIDE = -1  # of a picture that no split was given for


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The pictures of a dataset to be, class by class.

    Attributes
    ----------
    classes : tuple of str
        The classes with at least one picture file, in label order.
    paths : Spool
        The files' paths under the root, in the order in which they were found.
    ends : int64 array of shape (C,)
        How many files there are up to the end of each class.
    empty : tuple of str
        The classes without picture files.
    ignored : Tally
        What else the root holds, and why it was left out.
    order : array of row numbers of shape (N,), optional
        The place in `paths` of each row, where the paths were not found class by class.
    side : int8 array of shape (N,), optional
        The split that each row comes with: `TRAIN`, `VALIDATION`, `TEST` or `NO_SIDE`.
    groups : Spool, optional
        The name of each picture's group, in the order of `paths`; empty where it is unknown.
    refused : Tally
        What was named as a picture and cannot be used, and why.
    remarks : tuple of str
        What was recognised, for the user.
    """

    classes: tuple[str, ...]
    paths: Spool
    ends: NDArray[np.int64]
    empty: tuple[str, ...]
    ignored: Tally
    order: Rows | None = None
    side: NDArray[np.int8] | None = None
    groups: Spool | None = None
    refused: Tally = field(default_factory=Tally)
    remarks: tuple[str, ...] = ()

    def labels(self, rows: Rows) -> NDArray[np.int32]:
        """The label of each of the files number `rows`."""
        return np.searchsorted(self.ends, rows, side="right").astype(np.int32)

    def close(self) -> None:
        """Close the scratch files."""
        self.paths.close()
        if self.groups is not None:
            self.groups.close()


class Gathering:
    """Pictures that come in any order of classes, until they make a listing.

    A context, at whose end the scratch files are closed if there was an error; else the listing
    has them.

    Parameters
    ----------
    scratch : Path
        Existing folder for the scratch files.
    """

    def __init__(self, scratch: Path) -> None:
        self._paths, self._groups = Spool(scratch / "gathered"), Spool(scratch / "gathered.groups")
        self._listed = False
        self._numbers: dict[str, int] = {}
        self._labels, self._sides = array("i"), bytearray()
        self._grouped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not (self._listed and self._grouped):
            self._groups.close()
        if not self._listed:
            self._paths.close()

    def add(self, path: bytes, name: str, *, side: int = NO_SIDE, group: str = "") -> None:
        """Add a picture of the class `name`."""
        self._paths.append(path)
        self._groups.append(group.encode("utf-8", "backslashreplace"))
        self._labels.append(self._numbers.setdefault(name, len(self._numbers)))
        self._sides.append(side & 0xFF)
        self._grouped = self._grouped or bool(group)

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes so far, in the order of their names' bytes."""
        return tuple(sorted(self._numbers, key=lambda name: name.encode("utf-8", "replace")))

    def listing(
        self,
        *,
        empty: tuple[str, ...] = (),
        ignored: Tally | None = None,
        refused: Tally | None = None,
        remarks: tuple[str, ...] = (),
    ) -> Listing:
        """The listing of all pictures; inside a class they stay in the order in which they came."""
        self._listed = True
        classes = self.classes
        places = np.empty(len(classes), np.int32)
        places[[self._numbers[name] for name in classes]] = np.arange(len(classes))
        labels = taken(places, np.frombuffer(self._labels, np.int32))
        order, starts = gathered(labels, np.ones(len(labels), bool))
        side = taken(np.frombuffer(self._sides, np.int8), order)
        return Listing(
            classes=classes,
            paths=self._paths,
            ends=np.append(starts[1:], len(order)).astype(np.int64),
            empty=empty,
            ignored=ignored or Tally(),
            order=order,
            side=side if (side != NO_SIDE).any() else None,
            groups=self._groups if self._grouped else None,
            refused=refused or Tally(),
            remarks=remarks,
        )

"""The arrays of a split, wherever they are stored: in the dataset's file, or in its shards.

A chunk of 256 rows lies in one file always. `SplitArrays.at` gives the HDF5 group that holds it,
and `read` joins what several files hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import Stored, reading
from inkfold.dataset.digests import CHUNK
from inkfold.dataset.open_shards import OpenShards


class SplitArrays:
    """The arrays of one split.

    Parameters
    ----------
    path : Path
        The dataset.
    group : h5py.Group
        The split in the dataset's file, which gives names, types and shapes; in an index its arrays
        are virtual and are not read.
    shards : OpenShards or None
        Where the arrays lie, if not in `group`.

    Attributes
    ----------
    name : str
        Of the split, as "train".
    rows : int
    names : tuple of str
    """

    def __init__(self, path: Path, group: h5py.Group, shards: OpenShards | None = None) -> None:
        self.path, self.name = path, str(group.name).strip("/")
        self._group, self._shards = group, shards
        self.names: tuple[str, ...] = tuple(group)
        self.rows = len(group["images"])

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def like(self, name: str) -> h5py.Dataset:
        """The array in the dataset's own file, for its type and shape; not to be read."""
        return self._group[name]

    @contextmanager
    def at(self, row: int) -> Iterator[tuple[h5py.Group, int, int]]:
        """The group that holds a row, and the first row that it holds and the one after its last.

        It is read within the block only, and before another part of the split is.
        """
        if self._shards is None or not self.rows:
            yield self._group, 0, self.rows
            return
        with self._shards.at(self.name, row) as (group, shard):
            yield group, shard.first, shard.first + shard.rows

    def groups(self) -> Iterator[h5py.Group]:
        """Every group that holds a part of the split, in the order of the rows."""
        row = 0
        while True:
            with self.at(row) as (group, _, end):
                yield group
            if end >= self.rows:
                return
            row = end

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Some rows of an array, by default all.

        Raises
        ------
        InkfoldError
            If they cannot be read, or a shard is not what the index lists.
        """
        pieces = list(self._pieces(name, start, stop, text=False))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def texts(self, name: str, start: int = 0, stop: int | None = None) -> list[str]:
        """Some rows of an array of texts, by default all."""
        return [text for piece in self._pieces(name, start, stop, text=True) for text in piece]

    def _pieces(
        self, name: str, start: int, stop: int | None, *, text: bool
    ) -> Iterator[NDArray[Any]]:
        """The rows, a piece for each file; one piece at least."""
        stop = self.rows if stop is None else min(stop, self.rows)
        start = min(start, self.rows)
        last = max(self.rows - 1, 0)
        while True:
            with (
                self.at(min(start, last)) as (group, first, end),
                reading(group.file.filename, f"/{self.name}/{name}"),
            ):
                array = group[name]
                rows = slice(start - first, max(start, min(stop, end)) - first)
                piece = array.asstr()[rows] if text else array[rows]
            yield piece
            if stop <= end:
                return
            start = end

    def images(self) -> h5py.Dataset | ShardedImages:
        """The images, to be read by slices."""
        if self._shards is None or not self.rows:
            return Stored(self._group["images"], self.path)
        return ShardedImages(self)

    def check_unchanged(self) -> None:
        """Refuse shards that were written to while they were read."""
        if self._shards is not None:
            self._shards.check_unchanged()


class ShardedImages:
    """The images of a split in shards, read by slices as an `h5py.Dataset` is.

    Attributes
    ----------
    shape : tuple of int
        (N, H, W)
    dtype : numpy.dtype
    ndim : int
    """

    def __init__(self, arrays: SplitArrays) -> None:
        self._arrays = arrays
        array = arrays.like("images")
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype: np.dtype[np.uint8] = array.dtype
        self.ndim = len(self.shape)

    def __repr__(self) -> str:
        return f"<images in shards: {self.dtype} {self.shape}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401, numpy's signature
        """All images."""
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, selection: Any) -> NDArray[np.uint8]:  # noqa: ANN401, as h5py's
        """Rows by a number, a slice, a mask or rising row numbers; then what numpy takes.

        Raises
        ------
        IndexError
            If there is no such row.
        TypeError
            If rows are asked for in falling order.
        """
        rows, *rest = selection if isinstance(selection, tuple) else (selection,)
        if isinstance(rows, slice):
            return self._slice(rows)[(slice(None), *rest)]
        if isinstance(rows, int | np.integer):
            row = int(rows)
            if not -len(self) <= row < len(self):
                raise IndexError(f"row {row} of {len(self)}")
            row %= len(self)
            return np.asarray(self._arrays.read("images", row, row + 1)[0][tuple(rest)])
        return self._chosen(np.asarray(rows))[(slice(None), *rest)]

    def _slice(self, rows: slice) -> NDArray[np.uint8]:
        start, stop, step = rows.indices(len(self))
        if step < 1:
            raise TypeError(f"slices of step 1 or more, found step {step}")
        return self._arrays.read("images", start, max(start, stop))[::step]

    def _chosen(self, rows: NDArray[Any]) -> NDArray[np.uint8]:
        """Single rows: each chunk that holds some of them is read once."""
        if rows.dtype == bool:
            if rows.shape != self.shape[:1]:
                raise IndexError(f"a mask of {rows.shape}, expected {self.shape[:1]}")
            rows = np.flatnonzero(rows)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        if (np.diff(rows) <= 0).any():
            raise TypeError("row numbers must rise")
        found = [np.empty((0, *self.shape[1:]), self.dtype)]
        for chunk in np.unique(rows // CHUNK):
            first = int(chunk) * CHUNK
            inside = rows[rows // CHUNK == chunk] - first
            found.append(self._arrays.read("images", first, first + CHUNK)[inside])
        return np.concatenate(found)

"""One split of an open dataset: its rows one by one, or in blocks."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.arrays import ShardedImages, SplitArrays
from inkfold.dataset.digests import CHUNK as CHUNK  # noqa: PLC0414, it is part of this module
from inkfold.dataset.digests import check_digests
from inkfold.identity import Identity

POOL = 16  # chunks that make a block of `Split.blocks`; its rows are shuffled together
BLOCK = CHUNK * POOL  # rows that are read together
HELD = 10**8  # rows of a split whose labels are held in memory
LABELS = CHUNK << 12  # labels that are read together, 4 MiB


@dataclass(frozen=True)
class Block:
    """Some rows of a split, read together.

    Attributes
    ----------
    images : uint8 array of shape (n, H, W)
    labels : int32 array of shape (n,)
    rows : int64 array of shape (n,)
        The place of each row in the split, from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    rows: NDArray[np.int64]


class Row(NamedTuple):
    """One row of a split: ``image, label = split[3]`` gives both parts.

    Attributes
    ----------
    image : uint8 array of shape (H, W)
        0 = paper, 255 = ink.
    label : int
        The row's class is ``dataset.classes[label]``.
    """

    image: NDArray[np.uint8]
    label: int


class Split:
    """One split of an open dataset: a sequence of `Row`.

    Iterating reads whole chunks and is fast. ``split[3]`` reads and inflates a whole chunk for one
    row: to read many rows use `blocks`, or slices such as ``split[:1000]``.

    Attributes
    ----------
    name : {"train", "validation", "test"}
    images : h5py.Dataset or ShardedImages
        uint8 (N, H, W), 0 = paper, 255 = ink. Read it by slices, never row by row.
    arrays : SplitArrays
        Where the rows are stored, for what copies them.

    Examples
    --------
    >>> from inkfold import open_dataset
    >>> dataset = open_dataset("datasets/characters.h5")
    >>> dataset.train
    <train split of 5,000 rows of 32x32 pixels>
    >>> image, label = dataset.train[3]
    >>> image.shape, dataset.classes[label]
    ((32, 32), 'd')
    >>> dataset.train[:1000].images.shape
    (1000, 32, 32)
    >>> dataset.train.source[0]
    'train/00000.png'
    >>> dataset.close()
    """

    def __init__(self, name: str, arrays: SplitArrays, file: h5py.File, identity: Identity) -> None:
        self.name = name
        self.arrays = arrays
        self._file = file
        self._identity = identity
        self.images: h5py.Dataset | ShardedImages = arrays.images()
        self._labels = arrays.read("labels") if len(self) <= HELD else None

    def __repr__(self) -> str:
        height, width = self.images.shape[1:]
        return f"<{self.name} split of {len(self):,} rows of {height}x{width} pixels>"

    def __len__(self) -> int:
        return self.arrays.rows

    def __iter__(self) -> Iterator[Row]:
        for block in self.blocks():
            yield from map(Row, block.images, block.labels.tolist())

    @overload
    def __getitem__(self, at: int | np.integer[Any]) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Block: ...
    def __getitem__(self, at: int | np.integer[Any] | slice) -> Row | Block:
        """The row number `at`, counted from the end if it is negative; for a slice a `Block`.

        Raises
        ------
        IndexError
            If the split has no such row.
        TypeError
            If `at` is neither a whole number nor a slice of step 1.
        """
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step != 1:
                raise TypeError(f"{self!r} gives slices of step 1, found step {step}")
            stop = max(start, stop)
            images = self.checked_images(start, stop)
            return Block(images, self._labels_of(start, stop), np.arange(start, stop))
        row = operator.index(at)
        if not -len(self) <= row < len(self):
            raise IndexError(f"{self!r} has no row {row}")
        row %= len(self)
        return Row(self.checked_images(row, row + 1)[0], int(self._labels_of(row, row + 1)[0]))

    @property
    def path(self) -> Path:
        """The dataset file."""
        return self._identity.path

    @property
    def labels(self) -> NDArray[np.int32]:
        """The label of each row, int32 (N,).

        They are held in memory up to 100 million rows. Beyond, they are read whenever this is
        asked for, which takes 4 bytes a row: `blocks`, slices and `counts` read a part at a time.
        """
        return self.arrays.read("labels") if self._labels is None else self._labels

    def label_blocks(self) -> Iterator[NDArray[np.int32]]:
        """The labels in the order of the rows, some at a time."""
        for start in range(0, len(self), LABELS):
            yield self._labels_of(start, start + LABELS)

    def counts(self, classes: int, *, originals: bool = False) -> NDArray[np.int64]:
        """How many rows each class has, int64 (classes,); with `originals` without their copies."""
        counts = np.zeros(classes, np.int64)
        for number, labels in enumerate(self.label_blocks()):
            counted: slice | NDArray[np.bool_] = slice(None)
            if originals and "copy" in self.arrays:
                start = number * LABELS
                counted = self.arrays.read("copy", start, start + LABELS) == 0
            counts += np.bincount(labels[counted], minlength=classes)
        return counts

    def _labels_of(self, start: int, stop: int) -> NDArray[np.int32]:
        if self._labels is None:
            return self.arrays.read("labels", start, stop)
        return self._labels[start:stop]

    @property
    def originals(self) -> NDArray[np.bool_]:
        """Which rows are originals, not distorted copies: bool (N,)."""
        copy = self.copy
        return np.ones(len(self), bool) if copy is None else np.asarray(copy == 0)

    @property
    def source(self) -> list[str]:
        """Where each row's picture came from: a path under the source folder, or "set:index"."""
        return self.texts("source")

    @property
    def group(self) -> list[str] | None:
        """Writer, page or sheet of each row, "" where unknown; None if the file has no groups."""
        return self.texts("group") if self.has_groups else None

    @property
    def has_groups(self) -> bool:
        """Whether the file says the group of each row."""
        return "group" in self.arrays

    @property
    def digest(self) -> NDArray[np.uint8]:
        """BLAKE2b-128 of each row's pixels, uint8 (N, 16)."""
        return self.arrays.read("digest")

    @property
    def origin(self) -> NDArray[np.int64] | None:
        """Row of each row's original before augmentation; None if nothing was augmented."""
        return self.arrays.read("origin") if "origin" in self.arrays else None

    @property
    def copy(self) -> NDArray[np.int32] | None:
        """0 for an original, 1 to K for its distorted copies; None if nothing was augmented."""
        return self.arrays.read("copy") if "copy" in self.arrays else None

    def texts(self, name: str, rows: slice = slice(None)) -> list[str]:
        """The array "source" or "group" of some rows, by default of all."""
        start, stop, step = rows.indices(len(self))
        return self.arrays.texts(name, start, max(start, stop))[::step]

    def checked_images(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Images uint8 (n, H, W) of some rows, each compared with its digest.

        Raises
        ------
        InkfoldError
            If a chunk is damaged, in such a way as well that it can be decoded.
        """
        images = np.asarray(self.images[start:stop])
        stored = self.arrays.read("digest", start, stop)
        check_digests(self.path, self.name, start, images, stored)
        return images

    def check_unchanged(self) -> None:
        """As `Dataset.check_unchanged`."""
        self._identity.check(descriptor(self._file))
        self.arrays.check_unchanged()

    def blocks(self, rng: np.random.Generator | None = None) -> Iterator[Block]:
        """Every row once, in blocks of up to 4,096 rows.

        Parameters
        ----------
        rng : numpy.random.Generator, optional
            Shuffles: each block joins 16 chunks drawn from the whole split, and its rows are
            permuted. Without `rng` the rows come in file order.

        Raises
        ------
        InkfoldError
            If the file was written to since it was opened.

        Examples
        --------
        >>> import numpy as np
        >>> from inkfold import open_dataset
        >>> with open_dataset("datasets/characters.h5") as dataset:
        ...     for block in dataset.train.blocks(np.random.default_rng(seed=0)):
        ...         print(block.images.shape, block.labels.shape)
        (3976, 32, 32) (3976,)
        (1024, 32, 32) (1024,)
        """
        chunks = np.arange(-(-len(self) // CHUNK))
        if rng is not None:
            rng.shuffle(chunks)
        for start in range(0, len(chunks), POOL):
            yield self._block(chunks[start : start + POOL], rng)

    def _block(self, chunks: NDArray[np.int64], rng: np.random.Generator | None) -> Block:
        starts = [int(chunk) * CHUNK for chunk in chunks]
        rows = np.concatenate([np.arange(s, min(s + CHUNK, len(self))) for s in starts])
        images = np.concatenate([self.checked_images(s, s + CHUNK) for s in starts])
        labels = np.concatenate([self._labels_of(s, s + CHUNK) for s in starts])
        self.check_unchanged()
        if rng is not None:
            order = rng.permutation(len(rows))
            rows, images, labels = rows[order], images[order], labels[order]
        return Block(images, labels, rows)


def descriptor(file: h5py.File) -> int:
    """The number under which the operating system knows the open file."""
    return int(file.id.get_vfd_handle())

"""Reading the packed dataset, format 1: one HDF5 file, described in docs/formats.md.

`open_dataset` gives a `Dataset` of three `Split`s, and a split gives its rows one by one or in
blocks.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import (
    Stored,
    check_labels,
    check_layout,
    close,
    damaged,
    reading,
    reason,
)
from inkfold.dataset.digests import check_digests
from inkfold.errors import InkfoldError
from inkfold.hdf5_heaps import endless_heap
from inkfold.identity import Identity
from inkfold.program import typed
from inkfold.spec import SPLITS, ImageSpec

FORMAT = "inkfold-dataset"
VERSION = 1
CHUNK = 256  # rows in an HDF5 chunk; also the rows that one random generator distorts
POOL = 16  # chunks that make a block of `Split.blocks`; its rows are shuffled together
BLOCK = CHUNK * POOL  # rows that are read together


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
    images : h5py.Dataset
        uint8 (N, H, W), 0 = paper, 255 = ink. Read it by slices, never row by row.
    labels : int32 array of shape (N,)

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

    def __init__(self, name: str, group: h5py.Group, file: Identity) -> None:
        self.name = name
        self._group = group
        self._file = file
        self._path = file.path
        self.images: h5py.Dataset = Stored(group["images"], file.path)
        self.labels: NDArray[np.int32] = self._numbers("labels")

    def __repr__(self) -> str:
        height, width = self.images.shape[1:]
        return f"<{self.name} split of {len(self):,} rows of {height}x{width} pixels>"

    def __len__(self) -> int:
        return len(self.labels)

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
            return Block(images, self.labels[start:stop], np.arange(start, stop))
        row = operator.index(at)
        if not -len(self) <= row < len(self):
            raise IndexError(f"{self!r} has no row {row}")
        row %= len(self)
        return Row(self.checked_images(row, row + 1)[0], int(self.labels[row]))

    @property
    def path(self) -> Path:
        """The dataset file."""
        return self._path

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
        return self.texts("group") if "group" in self._group else None

    @property
    def digest(self) -> NDArray[np.uint8]:
        """BLAKE2b-128 of each row's pixels, uint8 (N, 16)."""
        return self._numbers("digest")

    @property
    def origin(self) -> NDArray[np.int64] | None:
        """Row of each row's original before augmentation; None if nothing was augmented."""
        return self._numbers("origin") if "origin" in self._group else None

    @property
    def copy(self) -> NDArray[np.int32] | None:
        """0 for an original, 1 to K for its distorted copies; None if nothing was augmented."""
        return self._numbers("copy") if "copy" in self._group else None

    def texts(self, name: str, rows: slice = slice(None)) -> list[str]:
        """The array "source" or "group" of some rows, by default of all."""
        array = self._group[name]
        with reading(self._path, f"/{self.name}/{name}"):
            return list(array.asstr()[rows])

    def _numbers(self, name: str) -> NDArray[Any]:
        array = self._group[name]
        with reading(self._path, f"/{self.name}/{name}"):
            return np.asarray(array[:])

    def checked_images(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Images uint8 (n, H, W) of some rows, each compared with its digest.

        Raises
        ------
        InkfoldError
            If a chunk is damaged, in such a way as well that it can be decoded.
        """
        images = np.asarray(self.images[start:stop])
        with reading(self._path, f"/{self.name}/digest"):
            stored = self._group["digest"][start:stop]
        check_digests(self._path, self.name, start, images, stored)
        return images

    def check_unchanged(self) -> None:
        """As `Dataset.check_unchanged`."""
        self._file.check(_descriptor(self._group.file))

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
        self.check_unchanged()
        if rng is not None:
            order = rng.permutation(len(rows))
            rows, images = rows[order], images[order]
        return Block(images, self.labels[rows], rows)


class Dataset:
    """An open dataset file; a context manager that closes it.

    Attributes
    ----------
    path : Path
        The dataset's file.
    classes : tuple of str
        Class names in label order.
    spec : ImageSpec
        How a picture became an image of this dataset.
    provenance : dict
        How the file was made: tool, options, seed, versions, fingerprint.
    identity : Identity
        Which file was opened.
    train, validation, test : Split
    splits : tuple of Split
        Train, validation and test, in this order.

    Examples
    --------
    >>> from inkfold import open_dataset
    >>> with open_dataset("datasets/characters.h5") as dataset:
    ...     print(dataset)
    ...     print(dataset.classes)
    ...     for split in dataset.splits:
    ...         print(split.name, len(split))
    <dataset datasets/characters.h5: 4 classes; train 5,000, validation 500, test 500>
    ('a', 'b', 'c', 'd')
    train 5000
    validation 500
    test 500
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        with reading(path, "/classes"):
            self.classes: tuple[str, ...] = tuple(file["classes"].asstr()[:])
        self.spec = ImageSpec.from_json(file.attrs["spec"])
        self.provenance: dict[str, Any] = json.loads(file.attrs["provenance"])
        self.identity = Identity.of(path, _descriptor(file), fingerprint=_fingerprint(file))
        self.splits = tuple(Split(name, file[name], self.identity) for name in SPLITS)
        self.train, self.validation, self.test = self.splits
        check_labels(path, self.classes, {split.name: split.labels for split in self.splits})

    def __repr__(self) -> str:
        counts = ", ".join(f"{split.name} {len(split):,}" for split in self.splits)
        return f"<dataset {self.path}: {len(self.classes):,} classes; {counts}>"

    def split(self, name: str) -> Split:
        """The split called `name`.

        Raises
        ------
        KeyError
            If `name` is not "train", "validation" or "test".

        Examples
        --------
        >>> from inkfold import open_dataset
        >>> with open_dataset("datasets/characters.h5") as dataset:
        ...     dataset.split("validation")
        <validation split of 500 rows of 32x32 pixels>
        """
        return dict(zip(SPLITS, self.splits, strict=True))[name]

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digest over classes, image spec, labels and pixel digests."""
        return str(self.provenance["fingerprint"])

    def check_unchanged(self) -> None:
        """Refuse a dataset whose file was written to since it was opened.

        What is made of a dataset asks this before it gets its name. A file that was renamed or
        removed meanwhile can still be read to its end, and is not refused.

        Raises
        ------
        InkfoldError
            If the open file has another size or another time of its last change.
        """
        self.identity.check(_descriptor(self._file))

    def close(self) -> None:
        """Close the file; the splits cannot be read afterwards."""
        close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file; an error of a file that was written to meanwhile is told as just that."""
        try:
            if isinstance(error, Exception) and self._file:
                self.check_unchanged()
        finally:
            self.close()


def open_dataset(path: Path | str) -> Dataset:
    """Open a dataset for reading.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    dataset : Dataset
        Close it after use, or open it in a ``with`` block, which does.

    Raises
    ------
    InkfoldError
        If the file is missing, is no Inkfold dataset, has a format version that this package does
        not read, lacks an array, or holds arrays of different lengths.

    Examples
    --------
    >>> from inkfold import open_dataset
    >>> with open_dataset("datasets/characters.h5") as dataset:
    ...     image, label = dataset.train[0]
    ...     print(len(dataset.classes), image.shape, dataset.classes[label])
    4 (32, 32) a
    """
    path = Path(path)
    if not path.exists():
        raise InkfoldError(
            f"{path}: no such dataset; pack one with: {typed('create_dataset')} FOLDER"
        )
    if path.is_dir():
        raise InkfoldError(f"{path} is a folder; pack it with: {typed('create_dataset')} {path}")
    try:
        endless = endless_heap(path)
        file = h5py.File(path, "r")
    except Exception as error:  # h5py answers damage with errors of many types
        raise InkfoldError(
            f"{path}: not an HDF5 file or a damaged one ({reason(error)}); "
            f"pack it again with: {typed('create_dataset')} FOLDER"
        ) from None
    try:
        _check_heaps(path, endless)
        with reading(path, "its attributes"):
            _check_version(path, file)
        check_layout(path, file)
        return Dataset(path, file)
    except BaseException:
        file.close()
        raise


@contextmanager
def reopened(identity: Identity) -> Iterator[h5py.File]:
    """The file of a dataset that is open elsewhere, to read a part of it, in a worker for example.

    Raises
    ------
    InkfoldError
        If the path leads to another file, or the file was written to before the block ends.
    """
    with identity.unchanged():
        with reading(identity.path, "its beginning"):
            file = h5py.File(identity.path, "r")
        try:
            with identity.unchanged(_descriptor(file)):
                identity.check_fingerprint(_fingerprint(file))
                yield file
        finally:
            close(file)


def _descriptor(file: h5py.File) -> int:
    """The number under which the operating system knows the open file."""
    return int(file.id.get_vfd_handle())


def _fingerprint(file: h5py.File) -> str:
    """What a dataset file says of its own content."""
    return str(json.loads(file.attrs["provenance"]).get("fingerprint", ""))


def _check_heaps(path: Path, endless: int | None) -> None:
    """Refuse a file that HDF5 would read for ever."""
    if endless is not None:
        raise damaged(path, f"byte {endless:,}", "a heap of texts without an end")


def _check_version(path: Path, file: h5py.File) -> None:
    """Refuse a file that is no dataset, or has another format than 1."""
    name = file.attrs.get("format")
    if not isinstance(name, str) or name != FORMAT:
        raise InkfoldError(
            f"{path}: format is {name!r}, expected {FORMAT!r}: not a dataset of ours"
        )
    version = file.attrs.get("format_version", 0)
    if not isinstance(version, int | np.integer) or version != VERSION:
        raise InkfoldError(
            f"{path}: dataset format {version}, this version reads format {VERSION}; "
            f"pack it again with: {typed('create_dataset')} FOLDER"
        )

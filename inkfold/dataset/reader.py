"""Reading the packed dataset, format 1: one HDF5 file, described in docs/formats.md.

`open_dataset` gives a `Dataset` of three `Split`s, and a split gives its rows one by one or in
blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.damage import (
    check_classes,
    check_labels,
    check_layout,
    close,
    damaged,
    reading,
    reason,
)
from inkfold.dataset.open_shards import OpenShards
from inkfold.dataset.shard_table import SHARD_FORMAT, TABLE, Shard, listed_shards
from inkfold.dataset.split import Split, descriptor
from inkfold.errors import InkfoldError
from inkfold.hdf5_heaps import endless_heap
from inkfold.identity import Identity
from inkfold.program import typed
from inkfold.spec import SPLITS, ImageSpec

FORMAT = "inkfold-dataset"
VERSION = 1


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

    def __init__(self, path: Path, file: h5py.File, shards: OpenShards | None) -> None:
        self.path = path
        self._file, self._shards = file, shards
        with reading(path, "/classes"):
            self.classes: tuple[str, ...] = tuple(file["classes"].asstr()[:])
        self.spec = ImageSpec.from_json(file.attrs["spec"])
        self.provenance: dict[str, Any] = json.loads(file.attrs["provenance"])
        self.identity = Identity.of(path, descriptor(file), fingerprint=_fingerprint(file))
        self.splits = tuple(
            Split(name, SplitArrays(path, file[name], shards), file, self.identity)
            for name in SPLITS
        )
        self.train, self.validation, self.test = self.splits
        check_classes(path, self.classes)
        for split in self.splits:
            check_labels(path, split.name, len(self.classes), split.label_blocks())

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

    @property
    def shards(self) -> tuple[Shard, ...] | None:
        """The shards that hold the rows; None where the dataset is one file."""
        return None if self._shards is None else self._shards.shards

    @property
    def size(self) -> int:
        """Bytes of the dataset's file and of its shards."""
        return self.identity.size + (0 if self._shards is None else self._shards.size)

    def shard_files(self) -> Iterator[tuple[Shard, Path]]:
        """Each shard with its file; nothing where the dataset is one file."""
        if self._shards is not None:
            for shard in self._shards.shards:
                yield shard, self._shards.folder / shard.name

    def check_unchanged(self) -> None:
        """Refuse a dataset whose file was written to since it was opened.

        What is made of a dataset asks this before it gets its name. A file that was renamed or
        removed meanwhile can still be read to its end, and is not refused; a shard is.

        Raises
        ------
        InkfoldError
            If the open file has another size or another time of its last change.
        """
        self.identity.check(descriptor(self._file))
        if self._shards is not None:
            self._shards.check_all_unchanged()

    def close(self) -> None:
        """Close the file; the splits cannot be read afterwards."""
        if self._shards is not None:
            self._shards.close()
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
        not read, lacks an array, or holds arrays of different lengths; or if one of its shards is
        missing or is not the one that the dataset lists.

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
    shards = None
    try:
        _check_heaps(path, endless)
        with reading(path, "its attributes"):
            _check_version(path, file)
        shards = shards_of(path, file)
        check_layout(path, file, None if shards is None else shards.size)
        if shards is not None:
            shards.check(file)
        return Dataset(path, file, shards)
    except BaseException:
        if shards is not None:
            shards.close()
        file.close()
        raise


@contextmanager
def reopened(identity: Identity) -> Iterator[dict[str, SplitArrays]]:
    """The splits of a dataset that is open elsewhere, to read a part, in a worker for example.

    Raises
    ------
    InkfoldError
        If the path leads to another file, or the file was written to before the block ends; the
        same of each shard that is read.
    """
    with identity.unchanged():
        with reading(identity.path, "its beginning"):
            file = h5py.File(identity.path, "r")
        try:
            with identity.unchanged(descriptor(file)):
                identity.check_fingerprint(_fingerprint(file))
                shards = shards_of(identity.path, file)
                try:
                    yield {name: SplitArrays(identity.path, file[name], shards) for name in SPLITS}
                    if shards is not None:
                        shards.check_all_unchanged()
                finally:
                    if shards is not None:
                        shards.close()
        finally:
            close(file)


def _fingerprint(file: h5py.File) -> str:
    """What a dataset file says of its own content."""
    return str(json.loads(file.attrs["provenance"]).get("fingerprint", ""))


def shards_of(path: Path, file: h5py.File) -> OpenShards | None:
    """The shards that a dataset's file lists, none open yet; None where it is the whole dataset."""
    with reading(path, "its list of arrays"):
        listed = TABLE in file
    return OpenShards(path, *listed_shards(path, file)) if listed else None


def _check_heaps(path: Path, endless: int | None) -> None:
    """Refuse a file that HDF5 would read for ever."""
    if endless is not None:
        raise damaged(path, f"byte {endless:,}", "a heap of texts without an end")


def _check_version(path: Path, file: h5py.File) -> None:
    """Refuse a file that is no dataset, or has another format than 1."""
    name = file.attrs.get("format")
    if isinstance(name, bytes) and name == SHARD_FORMAT.encode():
        raise InkfoldError(
            f"{path} is one shard of a dataset; give the file beside its folder, which is the index"
        )
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

"""A dataset in shards made one file: the very bytes that a run without shards writes.

Chunks are copied as they are stored. Where HDF5 puts a chunk depends on the order of writing: an
augmented split is written in the order in which its chunks are made, the others row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.damage import damaged
from inkfold.dataset.places import places_of
from inkfold.dataset.reader import Dataset
from inkfold.dataset.shard_table import shard_folder
from inkfold.dataset.shards import sha256_of
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, SplitWriter, deflate, stored_chunk, writing_dataset
from inkfold.errors import InkfoldError
from inkfold.output import check_free, place_of

NAMES = ("images", "labels", "source", "digest", "origin", "copy", "group")  # in the file's order


def merge_dataset(
    dataset: Dataset,
    output: Path,
    *,
    overwrite: bool,
    advance: Callable[[int], None] = lambda _rows: None,
) -> None:
    """Write a dataset in shards as one file.

    Parameters
    ----------
    dataset : Dataset
    output : Path
    overwrite : bool
    advance : callable
        Called with the number of rows of each chunk that is written.

    Raises
    ------
    InkfoldError
        As `check_mergeable`; or if a shard's bytes are not those that were written, or the rows
        do not give the dataset's fingerprint.
    """
    check_mergeable(dataset, output, overwrite=overwrite)
    check_hashes(dataset)
    with writing_dataset(output, dataset.classes, dataset.spec, overwrite=overwrite) as writer:
        for split in dataset.splits:
            like = _like(split.arrays)
            with writer.split(split.name, len(split), like=like) as out:
                for at in _starts(dataset, split.arrays):
                    _copy_chunk(split.arrays, at, like, out)
                    advance(min(CHUNK, len(split) - at))
        dataset.check_unchanged()
        writer.repeat(dataset.path, dataset.provenance)


def check_mergeable(dataset: Dataset, output: Path, *, overwrite: bool) -> None:
    """Refuse a merge that cannot be made, before any work is done.

    Raises
    ------
    InkfoldError
        If the dataset is one file, or `output` is the dataset or lies among its shards, or exists
        and `overwrite` is false.
    """
    if dataset.shards is None:
        raise InkfoldError(f"{dataset.path} is one file already; give a dataset in shards")
    folder = shard_folder(dataset.path)
    check_free(output, overwrite=overwrite, inputs=[dataset.path])
    if place_of(output).resolve().parent == folder.resolve():
        raise InkfoldError(f"{output} lies among the shards in {folder}; choose another -o")


def check_hashes(dataset: Dataset, advance: Callable[[int], None] = lambda _rows: None) -> None:
    """Compare every shard with the SHA-256 that the index lists.

    Raises
    ------
    InkfoldError
        Naming the first shard that differs.
    """
    for shard, path in dataset.shard_files():
        found = sha256_of(path)
        if found != shard.sha256:
            what = f"SHA-256 {found[:12]}..., the index lists {shard.sha256[:12]}..."
            raise damaged(path, "the file", what)
        advance(shard.rows)


def _starts(dataset: Dataset, arrays: SplitArrays) -> Iterable[int]:
    """The rows at which chunks begin, in the order in which one file has them written."""
    if "origin" not in arrays:
        return range(0, arrays.rows, CHUNK)
    places = places_of(dataset.provenance, arrays.rows)
    if places is None:
        raise damaged(
            dataset.path, "its attribute provenance", "does not tell how copies were placed"
        )
    return places.in_order()


def _like(arrays: SplitArrays) -> Rows:
    """No rows, with the types and shapes of the split's arrays."""
    return Rows(**{name: arrays.read(name, 0, 0) for name in NAMES if name in arrays})


def _copy_chunk(arrays: SplitArrays, at: int, like: Rows, out: SplitWriter) -> None:
    """Copy a chunk; labels and digests are read as well, of which the fingerprint is made."""
    deflated = {}
    for name in arrays.names:
        stored = stored_chunk(arrays, name, at)
        deflated[name] = deflate(arrays.read(name, at, at + CHUNK)) if stored is None else stored
    needed = {name: arrays.read(name, at, at + CHUNK) for name in ("labels", "digest")}
    out.write(at, Rows(**{**dict(like.items()), **needed}), deflated=deflated)

"""A packed dataset with distorted copies beside each training picture; the rest as it was.

A piece of work is a chunk of 256 rows: a worker reads it once and makes all its copies, each from
the generator of (seed, copy, chunk), so that no pixel depends on the number of workers. Its chunks
are written where a permutation fixed by the seed puts them, in whatever order they are made: a
reader that shuffles a pool of chunks then meets many originals, not many copies of a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import CHUNK, Dataset, open_dataset
from inkfold.dataset.writer import (
    NOTHING,
    Rows,
    SplitWriter,
    deflate,
    digests,
    read_rows,
    stored_chunk,
    writing_dataset,
)
from inkfold.elastic import Elastic, chunk_rng
from inkfold.errors import InkfoldError
from inkfold.output import check_free
from inkfold.recipe import Distortion
from inkfold.workers import in_order, one_thread


@dataclass(frozen=True)
class Augmentation:
    """How many copies of each training picture, and how they are drawn."""

    distortion: Distortion
    copies: int = 9
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """One chunk of training rows for a worker, which opens the file itself."""

    path: Path
    chunk: int
    augmentation: Augmentation


@dataclass(frozen=True)
class Piece:
    """A chunk as a worker hands it back: `rows.images` is empty, what is `deflated` counts."""

    rows: Rows
    deflated: Mapping[str, bytes]


def distorted_chunk(task: Task) -> list[Piece]:
    """Read a chunk, distort it, and cut originals and copies into chunks; runs in a worker."""
    start = task.chunk * CHUNK
    with h5py.File(task.path, "r") as file:
        originals = read_rows(file["train"], start, start + CHUNK)
    kinds = [originals.images, *_copies(originals.images, task)]
    rows = kinds_of(originals, first=start, kinds=kinds)
    if len(originals) < CHUNK:
        return [_piece(part) for part in _cut(rows)]
    # A copy fills a chunk, and of these arrays all copies have the same: deflated once, and when
    # the pieces are pickled, each is there once.
    same = {"labels", "source", "origin", "group"}
    shared = {name: deflate(array) for name, array in rows[0].items() if name in same}
    return [_piece(part, shared) for part in rows]


def _copies(images: NDArray[np.uint8], task: Task) -> list[NDArray[np.uint8]]:
    """The distorted copies, each from its own generator."""
    numbers = range(1, task.augmentation.copies + 1)
    with one_thread():
        engine = _engine(images.shape[1], task.augmentation.distortion)
        return [
            engine.distort(images, chunk_rng(task.augmentation.seed, n, task.chunk))
            for n in numbers
        ]


@cache
def _engine(size: int, distortion: Distortion) -> Elastic:
    return Elastic.of(size, distortion)


def kinds_of(rows: Rows, *, first: int, kinds: Sequence[NDArray[np.uint8]]) -> list[Rows]:
    """Rows `first`, `first` + 1, ... of an augmented split: originals, first copies and so on.

    `rows` are the originals, `kinds` the pictures of each kind.
    """
    origin = np.arange(first, first + len(rows), dtype=np.int64)
    return [
        Rows(
            images=images,
            labels=rows.labels,
            source=rows.source,
            digest=digests(images),
            origin=origin,
            copy=np.full(len(rows), number, np.int32),
            group=rows.group,
        )
        for number, images in enumerate(kinds)
    ]


def _cut(kinds: Sequence[Rows]) -> Iterator[Rows]:
    """Originals and copies one after the other, cut into chunks."""
    joined = Rows.joined(kinds)
    for start in range(0, len(joined), CHUNK):
        yield joined[start : start + CHUNK]


def _piece(rows: Rows, shared: Mapping[str, bytes] = NOTHING) -> Piece:
    """A chunk with all its arrays deflated, but for those that are `shared` and are already."""
    rest = {name: deflate(array) for name, array in rows.items() if name not in shared}
    return Piece(replace(rows, images=rows.images[:0]), {**shared, **rest})


def plan_augmentation(
    source: Path, target: Path, augmentation: Augmentation, *, overwrite: bool
) -> dict[str, int]:
    """Count what the new file will hold, or refuse before any work is done.

    Returns
    -------
    counts : dict
        Rows of "train", "validation" and "test" in the new file, and its "originals".

    Raises
    ------
    InkfoldError
        If `source` is no dataset or an augmented one, `target` is `source` or exists without
        `overwrite`, or an option is out of range.
    """
    if augmentation.copies < 1:
        raise InkfoldError(f"copies is {augmentation.copies}; expected 1 or more of each picture")
    with open_dataset(source) as dataset:
        if dataset.train.origin is not None:
            raise InkfoldError(
                f"{source} is augmented already (it has /train/origin); "
                "augment the dataset that it was made from"
            )
        Elastic.of(dataset.spec.size, augmentation.distortion)
        originals = len(dataset.train)
        if not originals:
            raise InkfoldError(f"{source} has no training picture; pack one that has")
        counts = {"originals": originals, "train": originals * (augmentation.copies + 1)}
        counts |= {"validation": len(dataset.validation), "test": len(dataset.test)}
    if target.exists() and target.samefile(source):
        raise InkfoldError(f"{target} is the dataset itself; choose another output with -o")
    check_free(target, overwrite=overwrite)
    return counts


def augment_dataset(
    source: Path,
    target: Path,
    augmentation: Augmentation,
    *,
    executor: Executor,
    in_flight: int,
    overwrite: bool = False,
    advance: Callable[[int], None] = lambda _rows: None,
) -> dict[str, int]:
    """Write `source` to `target` with distorted copies of each training picture.

    Memory does not grow with the dataset, but for a few bytes a row. The bytes of the file depend
    on the content of `source` and on `augmentation` alone.

    Parameters
    ----------
    source, target : Path
    augmentation : Augmentation
    executor : concurrent.futures.Executor
        Makes the chunks.
    in_flight : int
        Chunks, each with its copies, that may exist at a time.
    overwrite : bool
    advance : callable
        Told the number of new training rows after each chunk that is written.

    Returns
    -------
    counts : dict
        As `plan_augmentation`, and so are the errors.
    """
    counts = plan_augmentation(source, target, augmentation, overwrite=overwrite)
    with (
        open_dataset(source) as dataset,
        writing_dataset(target, dataset.classes, dataset.spec, overwrite=overwrite) as writer,
    ):
        originals = counts["originals"]
        tasks = (Task(source, chunk, augmentation) for chunk in range(-(-originals // CHUNK)))
        empty = read_rows(dataset.train.images.parent, 0, 0)
        like = kinds_of(empty, first=0, kinds=[empty.images])[0]
        with writer.split("train", counts["train"], like=like) as out:
            made = in_order(executor, distorted_chunk, tasks, in_flight=in_flight)
            for pieces, places in zip(made, _places(originals, augmentation), strict=True):
                for piece, at in zip(pieces, places, strict=True):
                    out.write(at, piece.rows, deflated=piece.deflated)
                advance(sum(len(piece.rows) for piece in pieces))
        for name in ("validation", "test"):
            group = dataset.split(name).images.parent
            with writer.split(name, counts[name], like=read_rows(group, 0, 0)) as out:
                _copy(group, out)
        writer.finish(_provenance(dataset, augmentation, counts))
    return counts


def _places(originals: int, augmentation: Augmentation) -> Iterator[list[int]]:
    """For each chunk of originals, the rows at which it and its copies begin in the augmented file.

    Each copy of a whole chunk is a chunk, and these are permuted. A last chunk of fewer rows, with
    its copies, is cut into chunks that stand together at the end: only the last of them is short.
    """
    whole, rest = divmod(originals, CHUNK)
    kinds = augmentation.copies + 1
    order = chunk_rng(augmentation.seed, 0, 0).permutation(whole * kinds).reshape(whole, kinds)
    for chunks in order:
        yield (chunks * CHUNK).tolist()
    if rest:
        yield list(range(whole * kinds * CHUNK, originals * kinds, CHUNK))


def _copy(group: h5py.Group, out: SplitWriter) -> None:
    """Copy a split as it stands; the pictures are not even decompressed where they are ours."""
    for at in range(0, len(group["images"]), CHUNK):
        rows = read_rows(group, at, at + CHUNK)
        stored = stored_chunk(group["images"], at)
        out.append(rows, deflated=NOTHING if stored is None else {"images": stored})


def _provenance(
    dataset: Dataset, augmentation: Augmentation, counts: dict[str, int]
) -> dict[str, Any]:
    """How the new file was made, with what the packed one says of itself inside."""
    return {
        "tool": "augment",
        "options": {"copies": augmentation.copies, **asdict(augmentation.distortion)},
        "seed": augmentation.seed,
        "counts": counts,
        "dataset": dataset.provenance,
    }

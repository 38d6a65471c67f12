"""A packed dataset with distorted copies beside each training picture; the rest as it was.

A worker takes a chunk of 256 originals, reads it once and makes all its copies. Each copy is drawn
by the generator of (seed, copy, chunk), so that no pixel depends on the number of workers. The new
chunks are written where a permutation fixed by the seed puts them, in whatever order they are made:
a reader that shuffles a pool of chunks then meets many originals, not many copies of a few.
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
    """How many copies of each training picture are made, and how they are drawn.

    Attributes
    ----------
    distortion : Distortion
    copies : int
        Copies of each picture.
    seed : int
    """

    distortion: Distortion
    copies: int = 9
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """One chunk of training rows for a worker, which opens the file itself.

    Attributes
    ----------
    path : Path
        The packed dataset.
    chunk : int
        Number of the chunk in the train split, from 0.
    augmentation : Augmentation
    """

    path: Path
    chunk: int
    augmentation: Augmentation


@dataclass(frozen=True)
class DeflatedChunk:
    """A chunk of the new file as a worker hands it back.

    Attributes
    ----------
    rows : Rows
        Its images are left out, to be pickled faster.
    deflated : mapping of str to bytes
        All arrays of the chunk, images included, each deflated.
    """

    rows: Rows
    deflated: Mapping[str, bytes]


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

    Memory does not grow with the dataset, except for a few bytes a row. The bytes of the file
    depend only on the content of `source` and on `augmentation`.

    Parameters
    ----------
    source, target : Path
    augmentation : Augmentation
    executor : concurrent.futures.Executor
        Makes the chunks.
    in_flight : int
        Chunks of originals, each with its copies, that may exist at a time.
    overwrite : bool
    advance : callable
        Called with the number of new training rows whenever a chunk and its copies are written.

    Returns
    -------
    counts : dict
        As of `check_augmentation`, whose errors are raised here as well.
    """
    counts = check_augmentation(source, target, augmentation, overwrite=overwrite)
    with (
        open_dataset(source) as dataset,
        writing_dataset(target, dataset.classes, dataset.spec, overwrite=overwrite) as writer,
    ):
        originals = counts["originals"]
        tasks = (Task(source, chunk, augmentation) for chunk in range(-(-originals // CHUNK)))
        empty = read_rows(dataset.train.images.parent, 0, 0)
        like = originals_and_copies(empty, first=0, images=[empty.images])[0]
        with writer.split("train", counts["train"], like=like) as out:
            made = in_order(executor, distorted_chunk, tasks, in_flight=in_flight)
            for chunks, places in zip(made, _places(originals, augmentation), strict=True):
                for chunk, at in zip(chunks, places, strict=True):
                    out.write(at, chunk.rows, deflated=chunk.deflated)
                advance(sum(len(chunk.rows) for chunk in chunks))
        for name in ("validation", "test"):
            group = dataset.split(name).images.parent
            with writer.split(name, counts[name], like=read_rows(group, 0, 0)) as out:
                _copy_split(group, out)
        writer.finish(_provenance(dataset, augmentation, counts))
    return counts


def check_augmentation(
    source: Path, target: Path, augmentation: Augmentation, *, overwrite: bool
) -> dict[str, int]:
    """Refuse an augmentation that cannot be made, or count what the new file will hold.

    Returns
    -------
    counts : dict
        Rows of "train", "validation" and "test" in the new file, and its "originals".

    Raises
    ------
    InkfoldError
        If `source` is no dataset, is augmented already or has no training picture, if `target` is
        `source` or exists without `overwrite`, or if an option is out of range.
    """
    if augmentation.copies < 1:
        raise InkfoldError(f"copies is {augmentation.copies}; expected 1 or more of each picture")
    with open_dataset(source) as dataset:
        if dataset.train.origin is not None:
            raise InkfoldError(
                f"{source} is augmented already (it has /train/origin); "
                "augment the dataset that it was made from"
            )
        Elastic.of(dataset.spec.size, augmentation.distortion)  # refuses what is out of range
        originals = len(dataset.train)
        if not originals:
            raise InkfoldError(f"{source} has no training picture; pack one that has")
        counts = {"originals": originals, "train": originals * (augmentation.copies + 1)}
        counts |= {"validation": len(dataset.validation), "test": len(dataset.test)}
    if target.exists() and target.samefile(source):
        raise InkfoldError(f"{target} is the dataset itself; choose another output with -o")
    check_free(target, overwrite=overwrite)
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


def distorted_chunk(task: Task) -> list[DeflatedChunk]:
    """Read a chunk, distort it, and deflate originals and copies chunk by chunk; runs in a worker.

    A whole chunk gives a chunk of originals and one of each copy; a short one is joined with its
    copies and cut into chunks.
    """
    start = task.chunk * CHUNK
    with h5py.File(task.path, "r") as file:
        originals = read_rows(file["train"], start, start + CHUNK)
    images = [originals.images, *_copies(originals.images, task)]
    chunks = originals_and_copies(originals, first=start, images=images)
    if len(originals) < CHUNK:
        joined = Rows.joined(chunks)
        return [_deflated(joined[at : at + CHUNK]) for at in range(0, len(joined), CHUNK)]
    # These arrays are equal in all copies of a whole chunk: they are deflated once, and pickling
    # the list of chunks stores each of them once.
    common = {"labels", "source", "origin", "group"}
    shared = {name: deflate(array) for name, array in chunks[0].items() if name in common}
    return [_deflated(chunk, shared) for chunk in chunks]


def _copies(images: NDArray[np.uint8], task: Task) -> list[NDArray[np.uint8]]:
    """The distorted copies of some images, each copy from its own generator."""
    seed, copies = task.augmentation.seed, task.augmentation.copies
    with one_thread():
        engine = _engine(images.shape[1], task.augmentation.distortion)
        return [
            engine.distort(images, chunk_rng(seed, copy, task.chunk))
            for copy in range(1, copies + 1)
        ]


@cache
def _engine(size: int, distortion: Distortion) -> Elastic:
    return Elastic.of(size, distortion)


def originals_and_copies(
    rows: Rows, *, first: int, images: Sequence[NDArray[np.uint8]]
) -> list[Rows]:
    """Rows of an augmented split: the originals, their first copies, their second copies, ...

    Parameters
    ----------
    rows : Rows
        The originals, which stand at `first`, `first` + 1, ... of the packed split.
    first : int
    images : sequence of uint8 arrays of shape (n, H, W)
        The images of the originals, of their first copies, and so on.
    """
    origin = np.arange(first, first + len(rows), dtype=np.int64)
    return [
        Rows(
            images=distorted,
            labels=rows.labels,
            source=rows.source,
            digest=digests(distorted),
            origin=origin,
            copy=np.full(len(rows), copy, np.int32),
            group=rows.group,
        )
        for copy, distorted in enumerate(images)
    ]


def _deflated(rows: Rows, shared: Mapping[str, bytes] = NOTHING) -> DeflatedChunk:
    """A chunk with all its arrays deflated; those in `shared` are deflated already."""
    rest = {name: deflate(array) for name, array in rows.items() if name not in shared}
    return DeflatedChunk(replace(rows, images=rows.images[:0]), {**shared, **rest})


def _copy_split(group: h5py.Group, out: SplitWriter) -> None:
    """Copy a split; its images are not even inflated where they are stored as ours are."""
    for at in range(0, len(group["images"]), CHUNK):
        rows = read_rows(group, at, at + CHUNK)
        stored = stored_chunk(group["images"], at)
        out.append(rows, deflated=NOTHING if stored is None else {"images": stored})


def _provenance(
    dataset: Dataset, augmentation: Augmentation, counts: dict[str, int]
) -> dict[str, Any]:
    """How the new file was made, with the packed file's own provenance inside."""
    return {
        "tool": "augment",
        "options": {"copies": augmentation.copies, **asdict(augmentation.distortion)},
        "seed": augmentation.seed,
        "counts": counts,
        "dataset": dataset.provenance,
    }

"""A packed dataset with distorted copies beside each training picture; the rest as it was.

A worker takes a chunk of 256 originals and makes a few of its copies, so that no piece of work
takes long and Ctrl-C is answered soon. Each copy is drawn by the generator of (seed, copy, chunk),
so that no pixel depends on the number of workers or on the size of the pieces. The new chunks are
written where a permutation fixed by the seed puts them, in whatever order they are made: a reader
that shuffles a pool of chunks then meets many originals, not many copies of a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.crew import Crew
from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.digests import digests
from inkfold.dataset.places import Places
from inkfold.dataset.reader import Dataset, reopened
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import (
    NOTHING,
    Rows,
    deflate,
    read_rows,
    stored_chunk,
    writing_dataset,
)
from inkfold.elastic import Elastic, chunk_rng
from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.output import check_free
from inkfold.recipe import Distortion
from inkfold.workers import one_thread

PIECE = 1 << 22  # pixels that a worker makes before it hands them over, in about 0.05 s
FAR_PIECE = 1 << 24  # the same on a cluster, where each piece costs its scheduler 3 ms


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


@dataclass(frozen=True, kw_only=True)
class Task:
    """A few chunks of the new file, made of one chunk of training rows by a worker.

    The originals of a chunk, their first copies, their second copies and so on are cut into chunks;
    where it has 256 rows these are the originals and the copies themselves.

    Attributes
    ----------
    dataset : Identity
        The packed dataset, which must be the file that the other workers read.
    chunk : int
        Number of the chunk in the train split, from 0.
    first, last : int
        The new chunks to make, from `first` to `last` - 1, counted among those of this chunk.
    augmentation : Augmentation
    """

    dataset: Identity
    chunk: int
    first: int
    last: int
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
    dataset: Dataset,
    target: Path,
    augmentation: Augmentation,
    *,
    crew: Crew,
    overwrite: bool = False,
    advance: Callable[[int], None] = lambda _rows: None,
) -> dict[str, int]:
    """Write `dataset` to `target` with distorted copies of each training picture.

    Memory does not grow with the dataset, except for a few bytes a row. The bytes of the file
    depend only on the content of `dataset` and on `augmentation`.

    Parameters
    ----------
    dataset : Dataset
    target : Path
    augmentation : Augmentation
    crew : Crew
        Makes the chunks.
    overwrite : bool
    advance : callable
        Called with the number of new training rows whenever a piece is written.

    Returns
    -------
    counts : dict
        As of `check_augmentation`.

    Raises
    ------
    InkfoldError
        As `check_augmentation`; or if a worker finds another file at the dataset's path,
        or this one with other bytes.
    """
    counts = check_augmentation(dataset, target, augmentation, overwrite=overwrite)
    with writing_dataset(target, dataset.classes, dataset.spec, overwrite=overwrite) as writer:
        originals, path = counts["originals"], dataset.path.absolute()  # workers are elsewhere
        identity = replace(dataset.identity, path=path)
        tasks = _tasks(identity, originals, dataset.spec.size, augmentation)
        together = _tasks_together(dataset.spec.size, augmentation, far=crew.far)
        pieces = iter(lambda: tuple(islice(tasks, together)), ())
        with writer.split("train", counts["train"], like=no_rows(dataset.train.arrays)) as out:
            made = crew.in_order(chunks_of_tasks, pieces)
            places = places_of(originals, augmentation).in_order()
            for chunks in made:
                for chunk in chunks:
                    out.write(next(places), chunk.rows, deflated=chunk.deflated)
                advance(sum(len(chunk.rows) for chunk in chunks))
        for name in ("validation", "test"):
            arrays = dataset.split(name).arrays
            with writer.split(name, counts[name], like=read_rows(arrays, 0, 0)) as out:
                for at in range(0, arrays.rows, CHUNK):
                    rows, deflated = copied_chunk(arrays, at)
                    out.append(rows, deflated=deflated)
        dataset.check_unchanged()
        writer.finish(provenance_of(dataset, augmentation, counts))
    return counts


def check_augmentation(
    dataset: Dataset, target: Path, augmentation: Augmentation, *, overwrite: bool
) -> dict[str, int]:
    """Refuse an augmentation that cannot be made, or count what the new file will hold.

    Returns
    -------
    counts : dict
        Rows of "train", "validation" and "test" in the new file, and its "originals".

    Raises
    ------
    InkfoldError
        If `dataset` is augmented already or has no training picture, if `target` is its file or
        exists without `overwrite`, or if an option is out of range.
    """
    if augmentation.copies < 1:
        raise InkfoldError(f"copies is {augmentation.copies}; expected 1 or more of each picture")
    source = dataset.path
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


def places_of(originals: int, augmentation: Augmentation) -> Places:
    """Where the chunks of the new train split stand."""
    return Places(originals=originals, copies=augmentation.copies, seed=augmentation.seed)


def _tasks(
    dataset: Identity, originals: int, size: int, augmentation: Augmentation
) -> Iterator[Task]:
    """The pieces of work, in the order in which their chunks are written."""
    most = max(1, PIECE // (CHUNK * size * size))
    for chunk in range(-(-originals // CHUNK)):
        rows = min(CHUNK, originals - chunk * CHUNK) * (augmentation.copies + 1)
        chunks = -(-rows // CHUNK)
        for first in range(0, chunks, most):
            last = min(first + most, chunks)
            yield Task(
                dataset=dataset, chunk=chunk, first=first, last=last, augmentation=augmentation
            )


def _tasks_together(size: int, augmentation: Augmentation, *, far: bool) -> int:
    """How many tasks are one piece of work: the pixels that they make decide, at least one."""
    pixels = min(PIECE, CHUNK * size * size * (augmentation.copies + 1))
    return max(1, FAR_PIECE // pixels) if far else 1


def chunks_of_tasks(tasks: Sequence[Task]) -> list[DeflatedChunk]:
    """The chunks of some tasks, one task after the other; runs in a worker."""
    return [chunk for task in tasks for chunk in distorted_chunks(task)]


def distorted_chunks(task: Task) -> list[DeflatedChunk]:
    """Read a chunk, make what is asked for of its copies, and deflate."""
    with reopened(task.dataset) as splits:
        return chunks_of(splits["train"], task)


def chunks_of(train: SplitArrays, task: Task) -> list[DeflatedChunk]:
    """The same of a train split that is open."""
    start = task.chunk * CHUNK
    originals = read_rows(train, start, start + CHUNK)
    begin = task.first * CHUNK
    end = min(task.last * CHUNK, len(originals) * (task.augmentation.copies + 1))
    copies = range(begin // len(originals), -(-end // len(originals)))
    images = _images(originals.images, task, copies)
    chunks = originals_and_copies(originals, first=start, images=images, copy=copies.start)
    if len(originals) < CHUNK:
        skipped = copies.start * len(originals)
        joined = Rows.joined(chunks)[begin - skipped : end - skipped]
        return [_deflated(joined[at : at + CHUNK]) for at in range(0, len(joined), CHUNK)]
    # These arrays are equal in all copies of a whole chunk: they are deflated once, and pickling
    # the list of chunks stores each of them once.
    common = {"labels", "source", "origin", "group"}
    shared = {name: deflate(array) for name, array in chunks[0].items() if name in common}
    return [_deflated(chunk, shared) for chunk in chunks]


def _images(images: NDArray[np.uint8], task: Task, copies: range) -> list[NDArray[np.uint8]]:
    """Copies of some images, each from its own generator; copy 0 is the images themselves."""
    with one_thread():
        engine = _engine(images.shape[1], task.augmentation.distortion)
        return [
            engine.distort(images, chunk_rng(task.augmentation.seed, copy, task.chunk))
            if copy
            else images
            for copy in copies
        ]


@cache
def _engine(size: int, distortion: Distortion) -> Elastic:
    return Elastic.of(size, distortion)


def originals_and_copies(
    rows: Rows, *, first: int, images: Sequence[NDArray[np.uint8]], copy: int = 0
) -> list[Rows]:
    """Rows of an augmented split: the originals, their first copies, their second copies, ...

    Parameters
    ----------
    rows : Rows
        The originals, which stand at `first`, `first` + 1, ... of the packed split.
    first : int
    images : sequence of uint8 arrays of shape (n, H, W)
        The images of the originals, of their first copies, and so on.
    copy : int
        What `images` begins with: 0 for the originals, 1 for their first copies, ...
    """
    origin = np.arange(first, first + len(rows), dtype=np.int64)
    return [
        Rows(
            images=distorted,
            labels=rows.labels,
            source=rows.source,
            digest=digests(distorted) if number else rows.digest,
            origin=origin,
            copy=np.full(len(rows), number, np.int32),
            group=rows.group,
        )
        for number, distorted in enumerate(images, copy)
    ]


def _deflated(rows: Rows, shared: Mapping[str, bytes] = NOTHING) -> DeflatedChunk:
    """A chunk with all its arrays deflated; those in `shared` are deflated already."""
    rest = {name: deflate(array) for name, array in rows.items() if name not in shared}
    return DeflatedChunk(replace(rows, images=rows.images[:0]), {**shared, **rest})


def no_rows(train: SplitArrays) -> Rows:
    """No rows of the new train split, with the types and shapes of its arrays."""
    empty = read_rows(train, 0, 0)
    return originals_and_copies(empty, first=0, images=[empty.images])[0]


def copied_chunk(arrays: SplitArrays, at: int) -> tuple[Rows, Mapping[str, bytes]]:
    """A chunk that stays as it is; its images are not deflated anew if stored as ours are."""
    stored = stored_chunk(arrays, "images", at)
    return read_rows(arrays, at, at + CHUNK), NOTHING if stored is None else {"images": stored}


def provenance_of(
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

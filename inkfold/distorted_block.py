"""What a worker does: a block of training rows and its distorted copies, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import CHUNK
from inkfold.dataset.writer import NOTHING, Rows, deflate, digests, read_rows
from inkfold.elastic import Elastic, block_rng
from inkfold.recipe import Distortion
from inkfold.workers import one_thread


@dataclass(frozen=True)
class Plan:
    """How many copies of each training picture, and how they are drawn."""

    distortion: Distortion
    copies: int = 9
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """One block of training rows for a worker, which opens the file itself."""

    path: Path
    block: int
    plan: Plan


@dataclass(frozen=True)
class Piece:
    """A chunk as a worker hands it back: `rows.images` is empty, what is `deflated` counts."""

    rows: Rows
    deflated: Mapping[str, bytes]


def make_block(task: Task) -> list[Piece]:
    """Read a block, distort it, and cut originals and copies into chunks; runs in a worker."""
    start = task.block * CHUNK
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
    numbers = range(1, task.plan.copies + 1)
    with one_thread():
        engine = _engine(images.shape[1], task.plan.distortion)
        return [engine.distort(images, block_rng(task.plan.seed, n, task.block)) for n in numbers]


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
            images,
            rows.labels,
            rows.source,
            digests(images),
            origin,
            np.full(len(rows), number, np.int32),
            rows.group,
        )
        for number, images in enumerate(kinds)
    ]


def _cut(kinds: Sequence[Rows]) -> Iterator[Rows]:
    """Rows one after the other, cut into chunks."""
    whole = {
        name: np.concatenate([getattr(rows, name) for rows in kinds])
        for name, _ in kinds[0].items()
    }
    for start in range(0, len(whole["labels"]), CHUNK):
        yield Rows(**{name: array[start : start + CHUNK] for name, array in whole.items()})


def _piece(rows: Rows, shared: Mapping[str, bytes] = NOTHING) -> Piece:
    """A chunk with all its arrays deflated, but for those that are `shared` and are already."""
    rest = {name: deflate(array) for name, array in rows.items() if name not in shared}
    return Piece(replace(rows, images=rows.images[:0]), {**shared, **rest})

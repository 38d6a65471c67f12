"""What a worker does: a block of training rows and its distorted copies, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from inkfold.dataset.reader import CHUNK
from inkfold.dataset.writer import NOTHING, Rows, deflate, digests
from inkfold.elastic import Elastic, block_rng
from inkfold.errors import InkfoldError
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


def read_rows(group: h5py.Group, start: int, stop: int) -> Rows:
    """Rows of a split that is not augmented: some of one chunk, from its beginning."""
    for name in ("source", "group"):
        if name in group and group[name].dtype.kind != "S":
            raise InkfoldError(
                f"{group.file.filename}: {group.name}/{name} is not of fixed length, as format 1 "
                "has it; pack the dataset again with: python create_dataset.py FOLDER"
            )
    part = slice(start, min(stop, len(group["images"])))
    names = [name for name in ("labels", "source", "digest", "group") if name in group]
    return Rows(_pictures(group["images"], part), **{name: group[name][part] for name in names})


def _pictures(images: h5py.Dataset, part: slice) -> NDArray[np.uint8]:
    """Inflated by igzip where they are stored as ours are: a sixth of HDF5's time."""
    stored = stored_chunk(images, part.start)
    if stored is None:
        return np.asarray(images[part])
    chunk = np.frombuffer(isal_zlib.decompress(stored), np.uint8).reshape(images.chunks)
    return chunk[: part.stop - part.start]


def stored_chunk(images: h5py.Dataset, at: int) -> bytes | None:
    """The bytes of the chunk at row `at`; None where it is not stored as this package stores it."""
    filters = images.id.get_create_plist()
    if images.chunks != (CHUNK, *images.shape[1:]) or filters.get_nfilters() != 1:
        return None
    if filters.get_filter(0)[0] != h5py.h5z.FILTER_DEFLATE:
        return None
    chunk = images.id.get_chunk_info_by_coord((at, 0, 0))
    if chunk.byte_offset is None or chunk.filter_mask:  # never written, or written uncompressed
        return None
    return bytes(images.id.read_direct_chunk((at, 0, 0))[1])


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

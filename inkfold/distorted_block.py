"""What a worker does: a block of training rows and its distorted copies, ready to be written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np

from inkfold.dataset import CHUNK
from inkfold.dataset_writer import Rows, deflate, digests
from inkfold.elastic import Elastic, block_rng
from inkfold.errors import InkfoldError
from inkfold.nouns import Distortion
from inkfold.threads import one_thread


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
    """A chunk as a worker hands it back: the pictures are compressed, `rows.images` is empty."""

    rows: Rows
    deflated_images: bytes


def make_block(task: Task) -> list[Piece]:
    """Read a block, distort it, and cut originals and copies into chunks; runs in a worker."""
    start = task.block * CHUNK
    with h5py.File(task.path, "r") as file:
        originals = read_rows(file["train"], slice(start, start + CHUNK))
    seed, copies = task.plan.seed, range(1, task.plan.copies + 1)
    with one_thread():
        elastic = _engine(originals.images.shape[1], task.plan.distortion)
        drawn = [
            elastic.distort(originals.images, block_rng(seed, copy, task.block)) for copy in copies
        ]
        everything = np.concatenate([originals.images, *drawn])
    rows = replace(repeated(originals, first=start, times=1 + len(copies)), images=everything)
    return [_piece(rows, slice(at, at + CHUNK)) for at in range(0, len(rows), CHUNK)]


def read_rows(group: h5py.Group, part: slice) -> Rows:
    """Some rows of a split that is not augmented."""
    if group["source"].dtype.kind != "S":
        raise InkfoldError(
            f"{group.file.filename}: {group.name}/source is not of fixed length, as format 1 has "
            "it; pack the dataset again with: python create_dataset.py FOLDER"
        )
    names = ("images", "labels", "source", "digest")
    return Rows(**{name: group[name][part] for name in names})


@cache
def _engine(size: int, distortion: Distortion) -> Elastic:
    return Elastic.of(size, distortion)


def _piece(rows: Rows, part: slice) -> Piece:
    """One chunk of `rows`: its pictures digested and deflated."""
    cut = Rows(**{name: array[part] for name, array in rows.items()})
    empty = replace(cut, images=cut.images[:0], digest=digests(cut.images))
    return Piece(empty, deflate(cut.images))


def repeated(rows: Rows, *, first: int, times: int) -> Rows:
    """The originals `first`, `first` + 1, ... as they stand `times` over, but for the pictures."""
    originals = np.arange(first, first + len(rows), dtype=np.int64)
    return Rows(
        images=rows.images[:0],
        labels=np.tile(rows.labels, times),
        source=np.tile(rows.source, times),
        digest=np.tile(rows.digest, (times, 1)),
        origin=np.tile(originals, times),
        copy=np.repeat(np.arange(times, dtype=np.int32), len(rows)),
    )

"""Staging: every picture file is read, decoded and prepared once, by whatever workers there are."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset_writer import digests
from inkfold.errors import PictureError
from inkfold.folders import readable
from inkfold.nouns import ImageSpec
from inkfold.picture import decode, load, prepare
from inkfold.spool import Pictures, Spool
from inkfold.tally import Tally
from inkfold.work import in_order

BLOCK = 256  # files in one piece of work
IN_FLIGHT = 8  # blocks whose pictures may wait for the writer


@dataclass(frozen=True)
class Files:
    """A piece of work: some files under `root`, and how to prepare them."""

    root: bytes
    paths: tuple[bytes, ...]
    spec: ImageSpec


@dataclass(frozen=True)
class Prepared:
    """What became of some files.

    For those that could be read, in order: `images` uint8 (n, size, size), `pixels` uint8 (n, 16)
    their digests, `content` uint8 (n, 16) the digests of the files' bytes. For the others, `bad`:
    place in the piece of work, and the reason.
    """

    images: NDArray[np.uint8]
    pixels: NDArray[np.uint8]
    content: NDArray[np.uint8]
    bad: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Staged:
    """All pictures that could be read: their pixels on the disk, 44 bytes for each in memory.

    `row` int32 (n,) where the picture was in the listing, `label` int32 (n,), `pixels` uint8
    (n, 16) digest of the prepared pixels, `content` uint64 (n,) the beginning of the digest of the
    file; `fingerprint` stands for all names and bytes.
    """

    row: NDArray[np.int32]
    label: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    content: NDArray[np.uint64]
    fingerprint: str
    unreadable: Tally


def prepare_files(files: Files) -> Prepared:
    """Read, decode and prepare one piece of work; a file that cannot be used stops nothing."""
    size = files.spec.size
    images = np.empty((len(files.paths), size, size), np.uint8)
    content: list[bytes] = []
    bad: list[tuple[int, str]] = []
    for place, path in enumerate(files.paths):
        try:
            data = load(files.root + b"/" + path)
            images[len(content)] = prepare(decode(data), files.spec)
        except PictureError as error:
            bad.append((place, str(error)))
        else:
            content.append(hashlib.blake2b(data, digest_size=16).digest())
    images = images[: len(content)]
    joined = np.frombuffer(b"".join(content), np.uint8).reshape(-1, 16)
    return Prepared(images, digests(images), joined, tuple(bad))


def stage(
    root: bytes,
    paths: Spool,
    labels: NDArray[np.int32],
    spec: ImageSpec,
    pictures: Pictures,
    *,
    executor: Executor,
    advance: Callable[[int], None],
) -> Staged:
    """Prepare every file of a listing; the pictures go to `pictures`, in the listing's order."""
    rows, pixels, content = array("i"), bytearray(), bytearray()
    unreadable, summary = Tally(), hashlib.blake2b(digest_size=16)
    work = _pieces(root, paths, spec)
    for start, done in enumerate(in_order(executor, prepare_files, work, in_flight=IN_FLIGHT)):
        names = paths.read(start * BLOCK, min((start + 1) * BLOCK, len(paths)))
        bad = dict(done.bad)
        good = [place for place in range(len(names)) if place not in bad]
        for place, digest in zip(good, done.content, strict=True):
            summary.update(names[place] + b"\0" + digest.tobytes())
        for place, reason in done.bad:
            unreadable.add(readable(names[place]), reason)
        rows.extend(start * BLOCK + place for place in good)
        pixels += done.pixels.data
        content += np.ascontiguousarray(done.content[:, :8]).data
        pictures.append(done.images)
        advance(len(names))
    row = np.array(rows, np.int32)
    return Staged(
        row,
        labels[row],
        np.frombuffer(pixels, np.uint8).reshape(-1, 16),
        np.frombuffer(content, "<u8").astype(np.uint64, copy=False),
        summary.hexdigest(),
        unreadable,
    )


def _pieces(root: bytes, paths: Spool, spec: ImageSpec) -> Iterator[Files]:
    for start in range(0, len(paths), BLOCK):
        names = paths.read(start, min(start + BLOCK, len(paths)))
        yield Files(root, tuple(names), spec)

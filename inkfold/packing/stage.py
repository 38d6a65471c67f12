"""Staging: every picture file is read, decoded and prepared once, by one worker or many."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.digests import digests
from inkfold.errors import PictureError
from inkfold.packing.scratch import Records, Spool
from inkfold.picture import decode, load, prepare
from inkfold.picture_files import readable
from inkfold.spec import ImageSpec
from inkfold.tally import Tally
from inkfold.workers import in_order

FILES = 256  # in one piece of work
IN_FLIGHT = 8  # pieces whose pictures may wait for the writer
# Digests of each picture, BLAKE2b-128 in two words: of the file's bytes, of the prepared pixels.
FACTS = np.dtype([("file", np.uint64, 2), ("pixels", np.uint64, 2)])


@dataclass(frozen=True)
class Files:
    """A piece of work: up to 256 files, and how to prepare them.

    Attributes
    ----------
    root : bytes
        The folder that the paths lie in.
    paths : tuple of bytes
    spec : ImageSpec
    """

    root: bytes
    paths: tuple[bytes, ...]
    spec: ImageSpec


@dataclass(frozen=True)
class Prepared:
    """What became of a piece of work.

    Attributes
    ----------
    images : uint8 array of shape (n, size, size)
        Zeros for a file that could not be used.
    facts : array of `FACTS` of shape (n,)
        Of no meaning for a file that could not be used.
    bad : tuple of (int, str)
        The place of each file that could not be used, and the reason.
    """

    images: NDArray[np.uint8]
    facts: NDArray[np.void]
    bad: tuple[tuple[int, str], ...]


@dataclass(frozen=True, kw_only=True)
class Staged:
    """All files of a listing, row by row; what is large is on the disk.

    Attributes
    ----------
    images, facts : Records
        As in `Prepared`.
    good : bool array of shape (N,)
        Whether the file could be used.
    fingerprint : str
        A digest of the names and bytes of all files that could be used.
    unreadable : Tally
        The files that could not be used, and why.
    """

    images: Records
    facts: Records
    good: NDArray[np.bool_]
    fingerprint: str
    unreadable: Tally


@contextmanager
def stage(
    root: bytes,
    paths: Spool,
    spec: ImageSpec,
    scratch: Path,
    *,
    executor: Executor,
    advance: Callable[[int], None],
) -> Iterator[Staged]:
    """Prepare every file of a listing; a context, at whose end the scratch files are closed.

    Parameters
    ----------
    root : bytes
        The folder that `paths` lie in, absolute.
    paths : Spool
    spec : ImageSpec
    scratch : Path
        Existing folder for the files that hold the images and facts.
    executor : concurrent.futures.Executor
    advance : callable
        Called with the number of files after each piece of work.
    """
    images = Records(scratch / "images", (np.uint8, (spec.size, spec.size)))
    facts = Records(scratch / "facts", FACTS)
    good, unreadable, summary = np.ones(len(paths), bool), Tally(), hashlib.blake2b(digest_size=16)
    with closing(images), closing(facts):
        work = _pieces(root, paths, spec)
        for piece, done in enumerate(in_order(executor, prepare_files, work, in_flight=IN_FLIGHT)):
            start = piece * FILES
            names = paths.read(start, start + FILES)
            for place, reason in done.bad:
                good[start + place] = False
                unreadable.add(readable(names[place]), reason)
            for place in np.flatnonzero(good[start : start + FILES]).tolist():
                summary.update(names[place] + b"\0" + done.facts["file"][place].tobytes())
            images.append(done.images)
            facts.append(done.facts)
            advance(len(names))
        yield Staged(
            images=images,
            facts=facts,
            good=good,
            fingerprint=summary.hexdigest(),
            unreadable=unreadable,
        )


def _pieces(root: bytes, paths: Spool, spec: ImageSpec) -> Iterator[Files]:
    """The pieces of work that a listing makes."""
    for start in range(0, len(paths), FILES):
        yield Files(root, tuple(paths.read(start, start + FILES)), spec)


def prepare_files(files: Files) -> Prepared:
    """Read, decode and prepare one piece of work; a file that cannot be used stops nothing."""
    count, size = len(files.paths), files.spec.size
    images = np.zeros((count, size, size), np.uint8)
    facts = np.zeros(count, FACTS)
    bad: list[tuple[int, str]] = []
    for place, path in enumerate(files.paths):
        try:
            data = load(files.root + b"/" + path)
            images[place] = prepare(decode(data), files.spec)
        except PictureError as error:
            bad.append((place, str(error)))
        else:
            digest = hashlib.blake2b(data, digest_size=16).digest()
            facts["file"][place] = np.frombuffer(digest, np.uint64)
    facts["pixels"] = digests(images).view(np.uint64)
    return Prepared(images, facts, tuple(bad))

"""Staging: every picture file is read, decoded and prepared once, by one worker or many."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.errors import PictureError
from inkfold.headers.further import has_further_frames
from inkfold.packing.members import opened, read_member
from inkfold.packing.scratch import Records, Spool
from inkfold.picture import decode, load, preparation
from inkfold.picture_files import readable
from inkfold.spec import ImageSpec
from inkfold.tally import Tally

if TYPE_CHECKING:
    from inkfold.packing.source import Source

FILES = 256  # in one piece of work
# On a cluster a piece costs its scheduler 3 ms (docs/cluster.md), so it holds up to 4,096 files,
# fewer where their pixels are more than 4 MiB: those of all pieces at work wait in memory.
MOST_FILES, MOST_PIXELS = 4096, 1 << 22
# Digests of each picture, BLAKE2b-128 in two words: of the file's bytes, of the prepared pixels.
# And whether it was prepared as a photograph, 0 or 1.
FACTS = np.dtype(
    [("file", np.uint64, (2,)), ("pixels", np.uint64, (2,)), ("photograph", np.uint64, (1,))]
)


@dataclass(frozen=True)
class Files:
    """A piece of work: some files, and how to prepare them.

    Attributes
    ----------
    root : bytes
        The folder that the paths lie in, or the archive.
    paths : tuple of bytes
    spec : ImageSpec
    members : array of `MEMBER` of shape (n,), optional
        Where the files lie in an archive.
    """

    root: bytes
    paths: tuple[bytes, ...]
    spec: ImageSpec
    members: NDArray[np.void] | None = None


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
    further : tuple of int
        The place of each file with further frames or pages, which were not read.
    """

    images: NDArray[np.uint8]
    facts: NDArray[np.void]
    bad: tuple[tuple[int, str], ...]
    further: tuple[int, ...] = ()


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
    further : Tally
        The files of which the first frame or page was read, and others were not.
    """

    images: Records
    facts: Records
    good: NDArray[np.bool_]
    fingerprint: str
    unreadable: Tally
    further: Tally = field(default_factory=Tally)


@contextmanager
def stage(
    source: Source,
    paths: Spool,
    spec: ImageSpec,
    scratch: Path,
    *,
    crew: Crew,
    advance: Callable[[int], None],
) -> Iterator[Staged]:
    """Prepare every file of a listing; a context, at whose end the scratch files are closed.

    Parameters
    ----------
    source : Folder or Archive
        What `paths` lie in.
    paths : Spool
    spec : ImageSpec
    scratch : Path
        Existing folder for the files that hold the images and facts.
    crew : Crew
    advance : callable
        Called with the number of files after each piece of work.
    """
    images = Records(scratch / "images", (np.uint8, (spec.size, spec.size)))
    facts = Records(scratch / "facts", FACTS)
    good, summary = np.ones(len(paths), bool), hashlib.blake2b(digest_size=16)
    unreadable, further = Tally(), Tally()
    with closing(images), closing(facts):
        work, start = _pieces(source, paths, spec, files_in_piece(spec.size, far=crew.far)), 0
        for done in crew.in_order(prepare_files, work):
            stop = start + len(done.images)
            names = paths.read(start, stop)
            for place, reason in done.bad:
                good[start + place] = False
                unreadable.add(readable(names[place]), reason)
            for place in done.further:
                further.add(readable(names[place]), "further frames or pages")
            for place in np.flatnonzero(good[start:stop]).tolist():
                summary.update(names[place] + b"\0" + done.facts["file"][place].tobytes())
            images.append(done.images)
            facts.append(done.facts)
            advance(len(names))
            start = stop
        yield Staged(
            images=images,
            facts=facts,
            good=good,
            fingerprint=summary.hexdigest(),
            unreadable=unreadable,
            further=further,
        )


def files_in_piece(size: int, *, far: bool) -> int:
    """How many files of images of `size` x `size` are one piece of work; `far` as in `Crew`."""
    return max(FILES, min(MOST_FILES, MOST_PIXELS // size**2)) if far else FILES


def _pieces(source: Source, paths: Spool, spec: ImageSpec, files: int) -> Iterator[Files]:
    """The pieces of work that a listing makes, of so many files each."""
    for start in range(0, len(paths), files):
        names = tuple(paths.read(start, start + files))
        yield Files(source.file, names, spec, source.members(names))


def prepare_files(files: Files) -> Prepared:
    """Read, decode and prepare one piece of work; a file that cannot be used stops nothing."""
    count, size = len(files.paths), files.spec.size
    images = np.zeros((count, size, size), np.uint8)
    facts = np.zeros(count, FACTS)
    bad: list[tuple[int, str]] = []
    further: list[int] = []
    for place, read in enumerate(readers(files)):
        try:
            data = read()
            images[place], facts["photograph"][place] = preparation(decode(data), files.spec)
        except PictureError as error:
            bad.append((place, str(error)))
        else:
            digest = hashlib.blake2b(data, digest_size=16).digest()
            facts["file"][place] = np.frombuffer(digest, np.uint64)
            if has_further_frames(data):
                further.append(place)
    facts["pixels"] = digests(images).view(np.uint64)
    return Prepared(images, facts, tuple(bad), tuple(further))


def readers(files: Files) -> Iterator[Callable[[], bytes]]:
    """For each file a function that gives its bytes."""
    if files.members is None:
        for path in files.paths:
            yield partial(load, files.root + b"/" + path)
        return
    with opened(files.root) as archive:
        for member in files.members:
            yield partial(read_member, archive, member)

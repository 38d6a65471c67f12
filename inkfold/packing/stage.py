"""Staging: every picture file is read, decoded and prepared once, by one worker or many."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.members import read_member
from inkfold.archives.spans import File, reader
from inkfold.archives.stored import StoredObject
from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.errors import PictureError
from inkfold.headers.further import has_further_frames
from inkfold.packing.scratch import BATCH, Records, Spool
from inkfold.packing.turns import reading_order
from inkfold.picture import decode, load, preparation
from inkfold.picture_files import readable
from inkfold.spec import ImageSpec
from inkfold.tally import Tally

if TYPE_CHECKING:
    from inkfold.packing.source import Source

FILES = 256  # in one piece of work
# On a cluster a piece costs its scheduler 3 ms (docs/cluster.md), from an object store a request of
# some 30 ms, so it holds up to 4,096 files, fewer where their pixels are more than 4 MiB: those of
# all pieces at work wait in memory.
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
    root : bytes or StoredObject
        The folder that the paths lie in, or the archive: its path, or the object.
    paths : tuple of bytes
    spec : ImageSpec
    members : array of `MEMBER` of shape (n,), optional
        Where the files lie in an archive.
    """

    root: File
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
    notes = _Notes(len(paths))
    with closing(images), closing(facts):
        far = crew.far or isinstance(source.file, StoredObject)
        turns = reading_order(source, paths)
        work = _pieces(source, paths, spec, turns, files_in_piece(spec.size, far=far))
        bad, further, start = dict[int, str](), set[int](), 0  # of files that come in turns
        for done in crew.in_order(prepare_files, work):
            stop = start + len(done.images)
            if turns is None:
                names = paths.read(start, stop)
                notes.add(start, names, done.bad, done.further, done.facts["file"])
            else:
                bad |= {int(turns[start + place]): reason for place, reason in done.bad}
                further |= {int(turns[start + place]) for place in done.further}
            images.append(done.images)
            facts.append(done.facts)
            advance(stop - start)
            start = stop
        if turns is not None:
            images.order = facts.order = np.argsort(turns).astype(np.int32)
            _note_in_order(notes, paths, facts, bad, further)
        yield Staged(
            images=images,
            facts=facts,
            good=notes.good,
            fingerprint=notes.summary.hexdigest(),
            unreadable=notes.unreadable,
            further=notes.further,
        )


class _Notes:
    """What is noted of all files, which come in the order of their paths.

    Attributes
    ----------
    good, summary, unreadable, further
        As in `Staged`; the summary becomes the fingerprint.
    """

    def __init__(self, count: int) -> None:
        self.good, self.summary = np.ones(count, bool), hashlib.blake2b(digest_size=16)
        self.unreadable, self.further = Tally(), Tally()

    def add(
        self,
        start: int,
        names: Sequence[bytes],
        bad: Iterable[tuple[int, str]],
        further: Iterable[int],
        file: NDArray[np.uint64],
    ) -> None:
        """Note the next files, whose first is number `start`, with the digests of their bytes."""
        for place, reason in bad:
            self.good[start + place] = False
            self.unreadable.add(readable(names[place]), reason)
        for place in further:
            self.further.add(readable(names[place]), "further frames or pages")
        for place in np.flatnonzero(self.good[start : start + len(names)]).tolist():
            self.summary.update(names[place] + b"\0" + file[place].tobytes())


def _note_in_order(
    notes: _Notes, paths: Spool, facts: Records, bad: dict[int, str], further: set[int]
) -> None:
    """Note all files that were read in turns, in the order of their paths."""
    for start in range(0, len(paths), BATCH):
        names = paths.read(start, start + BATCH)
        rows = np.arange(start, start + len(names))
        notes.add(
            start,
            names,
            [(row - start, bad[row]) for row in rows.tolist() if row in bad],
            [row - start for row in rows.tolist() if row in further],
            facts.take(rows)["file"],
        )


def files_in_piece(size: int, *, far: bool) -> int:
    """How many files of images of `size` x `size` are one piece of work; `far` as in `Crew`."""
    return max(FILES, min(MOST_FILES, MOST_PIXELS // size**2)) if far else FILES


def _pieces(
    source: Source, paths: Spool, spec: ImageSpec, turns: NDArray[np.int64] | None, files: int
) -> Iterator[Files]:
    """The pieces of work that a listing makes, of so many files each."""
    for start in range(0, len(paths), files):
        if turns is None:
            names = tuple(paths.read(start, start + files))
        else:
            names = tuple(paths[place] for place in turns[start : start + files].tolist())
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
    if files.members is None and isinstance(files.root, bytes):
        for path in files.paths:
            yield partial(load, files.root + b"/" + path)
    elif files.members is not None:
        read = reader(files.root, files.members)
        for member in files.members:
            yield partial(read_member, read, member)

"""Staging: every picture file is read, decoded and prepared once, by one worker or many."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.members import read_member
from inkfold.archives.spans import File, reader
from inkfold.archives.stored import StoredObject
from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.errors import PictureError
from inkfold.headers.further import has_further_frames
from inkfold.packing.large_arrays import Rows, taken
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


class Facts(Protocol):
    """The facts of all files, on the disk: `Records` of `FACTS`, or what answers like them."""

    order: Rows | None

    def column(self, name: str, word: int) -> NDArray[Any]:
        """As `Records.column`."""

    def take(self, rows: Rows) -> NDArray[Any]:
        """As `Records.take`."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """All files of a listing, row by row; what is large is on the disk.

    Attributes
    ----------
    facts : Facts
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

    facts: Facts
    good: NDArray[np.bool_]
    fingerprint: str
    unreadable: Tally
    further: Tally = field(default_factory=Tally)

    def in_order(self, order: Rows) -> Self:
        """The same files, numbered as `order` has them."""
        self.facts.order = order
        return replace(self, good=taken(self.good, order))


@dataclass(frozen=True, kw_only=True)
class StagedImages(Staged):
    """All files of a listing with their images, as in `Prepared`, in one scratch file."""

    images: Records

    def in_order(self, order: Rows) -> Self:
        """The same files, numbered as `order` has them."""
        # files of an object in a store may have been read in turns
        turned = order if self.images.order is None else taken(self.images.order, order)
        numbered = super().in_order(order)
        self.images.order = self.facts.order = turned
        return numbered


@dataclass(kw_only=True)
class Notes:
    """What is noted of the files, piece by piece, in the order of the listing.

    Attributes
    ----------
    good : bool array of shape (N,)
    unreadable, further : Tally
        As in `Staged`.
    """

    good: NDArray[np.bool_]
    unreadable: Tally = field(default_factory=Tally)
    further: Tally = field(default_factory=Tally)

    def add(
        self,
        start: int,
        names: Sequence[bytes],
        *,
        bad: Iterable[tuple[int, str]],
        further: Iterable[int],
    ) -> None:
        """Note a piece that begins at row `start`."""
        for place, reason in bad:
            self.good[start + place] = False
            self.unreadable.add(readable(names[place]), reason)
        for place in further:
            self.further.add(readable(names[place]), "further frames or pages")


@contextmanager
def stage(
    source: Source,
    paths: Spool,
    spec: ImageSpec,
    scratch: Path,
    *,
    crew: Crew,
    advance: Callable[[int], None],
) -> Iterator[StagedImages]:
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
    notes, summary = Notes(good=np.ones(len(paths), bool)), hashlib.blake2b(digest_size=16)
    with closing(images), closing(facts):
        far = crew.far or isinstance(source.file, StoredObject)
        turns = reading_order(source, paths)
        work = pieces(source, paths, spec, files_in_piece(spec.size, far=far), turns)
        bad, further, start = dict[int, str](), set[int](), 0  # of files that are read in turns
        for done in crew.in_order(prepare_files, work):
            stop = start + len(done.images)
            if turns is None:
                names = paths.read(start, stop)
                notes.add(start, names, bad=done.bad, further=done.further)
                summary.update(summary_of(names, done.facts, [place for place, _ in done.bad]))
            else:
                bad |= {int(turns[start + place]): reason for place, reason in done.bad}
                further |= {int(turns[start + place]) for place in done.further}
            images.append(done.images)
            facts.append(done.facts)
            advance(stop - start)
            start = stop
        if turns is not None:
            images.order = facts.order = np.argsort(turns).astype(turns.dtype)
            for text in _noted_in_order(notes, paths, facts, bad, further):
                summary.update(text)
        yield StagedImages(
            images=images,
            facts=facts,
            good=notes.good,
            fingerprint=summary.hexdigest(),
            unreadable=notes.unreadable,
            further=notes.further,
        )


def _noted_in_order(
    notes: Notes, paths: Spool, facts: Records, bad: dict[int, str], further: set[int]
) -> Iterator[bytes]:
    """Note all files that were read in turns, in the order of their paths; their summaries."""
    for start in range(0, len(paths), BATCH):
        names = paths.read(start, start + BATCH)
        rows = range(start, start + len(names))
        faulty = [(row - start, bad[row]) for row in rows if row in bad]
        notes.add(start, names, bad=faulty, further=[row - start for row in rows if row in further])
        yield summary_of(names, facts.take(np.array(rows)), [place for place, _ in faulty])


def summary_of(names: Sequence[bytes], facts: NDArray[np.void], bad: Sequence[int]) -> bytes:
    """What the fingerprint is made of: names and digests of the files that could be used."""
    good = np.ones(len(names), bool)
    good[list(bad)] = False
    digest = facts["file"]
    return b"".join(
        names[place] + b"\0" + digest[place].tobytes() for place in np.flatnonzero(good).tolist()
    )


def files_in_piece(size: int, *, far: bool) -> int:
    """How many files of images of `size` x `size` are one piece of work; `far` as in `Crew`."""
    return max(FILES, min(MOST_FILES, MOST_PIXELS // size**2)) if far else FILES


def pieces(
    source: Source, paths: Spool, spec: ImageSpec, files: int, turns: Rows | None = None
) -> Iterator[Files]:
    """The pieces of work that a listing makes, of so many files each; `turns` orders the paths."""
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

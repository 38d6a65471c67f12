"""Staging of a set that is imported: every picture prepared once, and then put by class."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset_writer import digests
from inkfold.division import NONE
from inkfold.errors import InkfoldError, PictureError
from inkfold.folders import Listing
from inkfold.grouping import Groups, numbered
from inkfold.importers.collection import Collection, Glyph
from inkfold.nouns import ImageSpec
from inkfold.picture import prepare
from inkfold.placing import TEST, TRAIN
from inkfold.spool import Records, Spool
from inkfold.staging import BLOCK, FACTS, IN_FLIGHT, Prepared, Staged
from inkfold.tally import Tally
from inkfold.work import in_order

SIDES = {"train": TRAIN, "test": TEST, None: NONE}


@dataclass(frozen=True)
class Pictures:
    """A piece of work: the pixels of some pictures and where they come from; how to prepare."""

    pixels: tuple[NDArray[np.uint8], ...]
    sources: tuple[str, ...]
    spec: ImageSpec


@dataclass(frozen=True)
class StagedSet:
    """A set, class by class, as packing takes it.

    `names` of the groups of all pictures, in a scratch file, and what belongs together by them;
    both None where no picture has a group. `side` int8 (N,) as `division.Official` has it.
    """

    listing: Listing
    staged: Staged
    names: Spool | None
    groups: Groups | None
    side: NDArray[np.int8]


@dataclass
class _Notes:
    """What is noted of each picture as it comes."""

    sources: Spool
    groups: Spool
    labels: array[int] = field(default_factory=lambda: array("i"))
    sides: bytearray = field(default_factory=bytearray)

    def add(self, glyph: Glyph) -> None:
        self.sources.append(glyph.source.encode())
        self.groups.append((glyph.group or "").encode())
        self.labels.append(glyph.label)
        self.sides.append(SIDES[glyph.split] & 0xFF)


def prepare_pictures(work: Pictures) -> Prepared:
    """Prepare one piece of work.

    Raises
    ------
    InkfoldError
        If a picture cannot be used: the set's file is then not what its format says.
    """
    size = work.spec.size
    images, facts = (
        np.empty((len(work.pixels), size, size), np.uint8),
        np.zeros(len(work.pixels), FACTS),
    )
    for place, pixels in enumerate(work.pixels):
        try:
            images[place] = prepare(pixels, work.spec)
        except PictureError as error:
            raise InkfoldError(f"{work.sources[place]}: {error}; download the set again") from None
        digest = hashlib.blake2b(pixels.tobytes(), digest_size=16, salt=b"%d" % len(pixels))
        facts["file"][place] = np.frombuffer(digest.digest(), np.uint64)
    facts["pixels"] = digests(images).view(np.uint64)
    return Prepared(images, facts, ())


@contextmanager
def stage_set(
    collection: Collection,
    spec: ImageSpec,
    scratch: Path,
    *,
    transpose: bool,
    executor: Executor,
    advance: Callable[[int], None],
) -> Iterator[StagedSet]:
    """Prepare every picture of a set.

    Parameters
    ----------
    collection : Collection
    spec : ImageSpec
        Its `ink` is not looked at: the set knows its own.
    scratch : Path
        Existing folder for the files behind the result.
    transpose : bool
        Whether rows and columns are exchanged first.
    executor : concurrent.futures.Executor
    advance : callable
        Called with the number of pictures after each piece of work.
    """
    images = Records(scratch / "images", (np.uint8, (spec.size, spec.size)))
    facts = Records(scratch / "facts", FACTS)
    notes = _Notes(Spool(scratch / "sources"), Spool(scratch / "groups"))
    summary = hashlib.blake2b(digest_size=16)
    with closing(images), closing(facts), closing(notes.sources), closing(notes.groups):
        work = _pieces(collection, replace(spec, ink=collection.ink), notes, transpose=transpose)
        for done in in_order(executor, prepare_pictures, work, in_flight=IN_FLIGHT):
            start = len(images)
            names = notes.sources.read(start, start + len(done.images))
            for name, digest in zip(names, done.facts["file"], strict=True):
                summary.update(name + b"\0" + digest.tobytes())
            images.append(done.images)
            facts.append(done.facts)
            advance(len(names))
        good = np.ones(len(images), bool)
        staged = Staged(images, facts, good, summary.hexdigest(), Tally())
        yield _by_class(collection, staged, notes)


def _pieces(
    collection: Collection, spec: ImageSpec, notes: _Notes, *, transpose: bool
) -> Iterator[Pictures]:
    glyphs = collection.glyphs()
    while some := list(islice(glyphs, BLOCK)):
        for glyph in some:
            notes.add(glyph)
        pixels = tuple(glyph.pixels.T if transpose else glyph.pixels for glyph in some)
        yield Pictures(pixels, tuple(glyph.source for glyph in some), spec)


def _by_class(collection: Collection, staged: Staged, notes: _Notes) -> StagedSet:
    """Give the pictures numbers class by class; inside a class they stay in the set's order."""
    labels = np.frombuffer(notes.labels, np.int32)
    if not len(labels):
        raise InkfoldError(f"{collection.name}: the set holds no picture; download it again")
    order = np.argsort(labels, kind="stable").astype(np.int32)
    counts = np.bincount(labels, minlength=len(collection.classes))
    classes = list(zip(collection.classes, counts.tolist(), strict=True))
    sources, names = notes.sources, notes.groups
    groups = numbered(names)
    groups = Groups(groups.numbers[order], groups.named[order])
    for scratch in (staged.images, staged.facts, sources, names):
        scratch.order = order
    listing = Listing(
        tuple(name for name, count in classes if count),
        sources,
        np.cumsum(counts[counts > 0]),
        tuple(name for name, count in classes if not count),
        Tally(),
    )
    side = np.frombuffer(notes.sides, np.int8)[order]
    if not groups.named.any():
        return StagedSet(listing, staged, None, None, side)
    return StagedSet(listing, staged, names, groups, side)

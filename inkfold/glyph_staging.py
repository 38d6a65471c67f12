"""Staging of a set that is imported: every picture prepared once, and then put by class.

All of it in one process: to hand the pixels to others takes longer than to prepare them
(docs/importing.md).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.writer import digests
from inkfold.division import NONE
from inkfold.errors import InkfoldError, PictureError
from inkfold.grouping import Groups, numbered
from inkfold.importers.collection import Collection, Glyph
from inkfold.packing.scan import Listing
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.stage import BLOCK, FACTS, Prepared, Staged
from inkfold.picture import prepare
from inkfold.spec import TEST, TRAIN, ImageSpec
from inkfold.tally import Tally

SIDES = {"train": TRAIN, "test": TEST, None: NONE}


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
        self.sources.append(_bytes(glyph.source))
        self.groups.append(_bytes(glyph.group or ""))
        self.labels.append(glyph.label)
        self.sides.append(SIDES[glyph.split] & 0xFF)


def _bytes(text: str) -> bytes:
    """In UTF-8; what of a file's name is no text is spelled out."""
    return text.encode("utf-8", "backslashreplace")


def prepare_glyphs(glyphs: Sequence[Glyph], spec: ImageSpec) -> Prepared:
    """Prepare some pictures.

    Raises
    ------
    InkfoldError
        If a picture cannot be used: the set's file is then not what its format says.
    """
    images = np.empty((len(glyphs), spec.size, spec.size), np.uint8)
    facts = np.zeros(len(glyphs), FACTS)
    for place, glyph in enumerate(glyphs):
        try:
            images[place] = prepare(glyph.pixels, spec)
        except PictureError as error:
            raise InkfoldError(f"{glyph.source}: {error}; download the set again") from None
        digest = hashlib.blake2b(glyph.pixels.tobytes(), digest_size=16).digest()
        facts["file"][place] = np.frombuffer(digest, np.uint64)
    facts["pixels"] = digests(images).view(np.uint64)
    return Prepared(images, facts, ())


@contextmanager
def stage_set(
    collection: Collection,
    spec: ImageSpec,
    scratch: Path,
    *,
    transpose: bool,
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
    advance : callable
        Called with the number of pictures after each block.
    """
    images = Records(scratch / "images", (np.uint8, (spec.size, spec.size)))
    facts = Records(scratch / "facts", FACTS)
    notes = _Notes(Spool(scratch / "sources"), Spool(scratch / "groups"))
    summary = hashlib.blake2b(digest_size=16)
    with closing(images), closing(facts), closing(notes.sources), closing(notes.groups):
        glyphs, spec = collection.glyphs(), replace(spec, ink=collection.ink)
        while some := list(islice(glyphs, BLOCK)):
            if transpose:
                some = [replace(glyph, pixels=glyph.pixels.T) for glyph in some]
            done = prepare_glyphs(some, spec)
            for glyph, digest in zip(some, done.facts["file"], strict=True):
                notes.add(glyph)
                summary.update(_bytes(glyph.source) + b"\0" + digest.tobytes())
            images.append(done.images)
            facts.append(done.facts)
            advance(len(some))
        good = np.ones(len(images), bool)
        staged = Staged(images, facts, good, summary.hexdigest(), Tally())
        yield _by_class(collection, staged, notes)


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

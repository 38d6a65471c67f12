"""A public set's pictures, prepared one after the other and numbered class by class."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import tee
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.crew import Crew
from inkfold.dataset.digests import digests
from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import all_unchanged
from inkfold.importers.collection import Collection, Glyph
from inkfold.output import naming
from inkfold.packing.large_arrays import gathered, taken
from inkfold.packing.listing import NO_SIDE, Listing
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.split import Groups, numbered
from inkfold.packing.stage import FACTS, MOST_PIXELS, Prepared, StagedImages, files_in_piece
from inkfold.picture import preparation
from inkfold.spec import TEST, TRAIN, VALIDATION, ImageSpec
from inkfold.tally import Tally

SIDES = {"train": TRAIN, "validation": VALIDATION, "test": TEST, None: NO_SIDE}


@dataclass(frozen=True, kw_only=True)
class StagedSet:
    """A public set, class by class, as packing takes it.

    Attributes
    ----------
    listing : Listing
    staged : Staged
    names : Spool, optional
        The name of each picture's group, empty where it is unknown; None where no picture has one.
    groups : Groups, optional
        What belongs together by these names.
    side : int8 array of shape (N,)
        As in `plan.Official`.
    """

    listing: Listing
    staged: StagedImages
    names: Spool | None
    groups: Groups | None
    side: NDArray[np.int8]


@dataclass(kw_only=True)
class _Notes:
    """What is noted of each picture as it comes, in the order of the set.

    Attributes
    ----------
    sources, groups : Spool
        Where the picture comes from, and its group; empty if the group is unknown.
    labels : array of int32
    sides : bytearray
        `SIDES`, each a signed byte.
    """

    sources: Spool
    groups: Spool
    labels: array[int] = field(default_factory=lambda: array("i"))
    sides: bytearray = field(default_factory=bytearray)

    def add(self, glyph: Glyph) -> None:
        self.sources.append(_encoded(glyph.source))
        self.groups.append(_encoded(glyph.group or ""))
        self.labels.append(glyph.label)
        self.sides.append(SIDES[glyph.split] & 0xFF)


@contextmanager
def stage_set(
    collection: Collection,
    spec: ImageSpec,
    scratch: Path,
    *,
    transpose: bool,
    crew: Crew,
    advance: Callable[[int], None],
) -> Iterator[StagedSet]:
    """Prepare every picture of a set; a context, at whose end the scratch files are closed.

    Parameters
    ----------
    collection : Collection
    spec : ImageSpec
        Its `ink` is not used: the set knows its own.
    scratch : Path
        Existing folder for the files that hold the images and facts.
    transpose : bool
        Whether rows and columns are exchanged first.
    crew : Crew
        Prepares the pictures, which are read here.
    advance : callable
        Called with the number of pictures after each piece of work.

    Raises
    ------
    InkfoldError
        If a file of the set is torn, or changed since `collection` was made of it.
    """
    images = Records(scratch / "images", (np.uint8, (spec.size, spec.size)))
    facts = Records(scratch / "facts", FACTS)
    notes = _Notes(sources=Spool(scratch / "sources"), groups=Spool(scratch / "groups"))
    summary = hashlib.blake2b(digest_size=16)
    with closing(images), closing(facts), closing(notes.sources), closing(notes.groups):
        prepare = partial(prepare_glyphs, spec=replace(spec, ink=collection.ink))
        with all_unchanged(collection.files):
            together = files_in_piece(spec.size, far=crew.far)
            given, pieces = tee(_pieces(collection, together, transpose=transpose))
            for done in crew.in_order(prepare, pieces):
                piece = next(given)
                for glyph, digest in zip(piece, done.facts["file"], strict=True):
                    notes.add(glyph)
                    summary.update(_encoded(glyph.source) + b"\0" + digest.tobytes())
                images.append(done.images)
                facts.append(done.facts)
                advance(len(piece))
        staged = StagedImages(
            images=images,
            facts=facts,
            good=np.ones(len(images), bool),
            fingerprint=summary.hexdigest(),
            unreadable=Tally(),
        )
        yield _by_class(collection, staged, notes)


def _pieces(collection: Collection, most: int, *, transpose: bool) -> Iterator[list[Glyph]]:
    """The pictures of a set, at most so many at a time and at most 4 MiB of them.

    An error of the disk names a file of the set.
    """
    glyphs = collection.glyphs()
    place = collection.files[0].path if collection.files else Path(collection.name)
    ended = False
    while not ended:
        piece: list[Glyph] = []
        size = 0
        while len(piece) < most and size < MOST_PIXELS and not ended:
            with naming(place):
                glyph = next(glyphs, None)
            if glyph is None:
                ended = True
            else:
                piece.append(replace(glyph, pixels=glyph.pixels.T) if transpose else glyph)
                size += glyph.pixels.size
        if piece:
            yield piece


def prepare_glyphs(glyphs: Sequence[Glyph], spec: ImageSpec) -> Prepared:
    """Prepare pictures of a set: scans, unless the spec says that they are photographs.

    Raises
    ------
    InkfoldError
        If a picture cannot be used: the set's file is then not what its format says.
    """
    spec = spec if spec.capture == "photo" else replace(spec, capture="scan")
    images = np.empty((len(glyphs), spec.size, spec.size), np.uint8)
    facts = np.zeros(len(glyphs), FACTS)
    for place, glyph in enumerate(glyphs):
        try:
            images[place], facts["photograph"][place] = preparation(glyph.pixels, spec)
        except PictureError as error:
            raise InkfoldError(f"{glyph.source}: {error}; download the set again") from None
        digest = hashlib.blake2b(glyph.pixels.tobytes(), digest_size=16).digest()
        facts["file"][place] = np.frombuffer(digest, np.uint64)
    facts["pixels"] = digests(images).view(np.uint64)
    return Prepared(images, facts, ())


def _by_class(collection: Collection, staged: StagedImages, notes: _Notes) -> StagedSet:
    """Number the pictures class by class; inside a class they stay in the set's order."""
    labels = np.frombuffer(notes.labels, np.int32)
    if not len(labels):
        raise _nothing_in(collection)
    order, _ = gathered(labels, np.ones(len(labels), bool))
    counts = np.bincount(labels, minlength=len(collection.classes))
    classes = list(zip(collection.classes, counts.tolist(), strict=True))
    groups = numbered(notes.groups)
    groups = Groups(taken(groups.numbers, order), taken(groups.named, order))
    notes.sources.order = notes.groups.order = order
    grouped = bool(groups.named.any())
    return StagedSet(
        listing=Listing(
            classes=tuple(name for name, count in classes if count),
            paths=notes.sources,
            ends=np.cumsum(counts[counts > 0]),
            empty=tuple(name for name, count in classes if not count),
            ignored=Tally(),
        ),
        staged=staged.in_order(order),
        names=notes.groups if grouped else None,
        groups=groups if grouped else None,
        side=taken(np.frombuffer(notes.sides, np.int8), order),
    )


def _nothing_in(collection: Collection) -> InkfoldError:
    """The error of a set without a picture; it names the first that was left out."""
    for name, reason in (*collection.unreadable.first[:1], *collection.ignored.first[:1]):
        count = collection.unreadable.count + collection.ignored.count
        return InkfoldError(
            f"{collection.name}: nothing is left of the set: {count:,} left out, the first is "
            f"{name!r} ({reason})"
        )
    return InkfoldError(f"{collection.name}: the set holds no picture; download it again")


def _encoded(text: str) -> bytes:
    """A text in UTF-8; bytes of a file's name that are not text are spelled out."""
    return text.encode("utf-8", "backslashreplace")

"""From a public set to one dataset file, by the same steps as packing class folders."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.digests import digests
from inkfold.dataset.writer import writing_dataset
from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import all_unchanged
from inkfold.importers.collection import Collection, Glyph
from inkfold.output import check_free, naming, scratch_folder
from inkfold.packing.given_split import Official, of_train
from inkfold.packing.listing import NO_SIDE, Listing
from inkfold.packing.pack import PackedRows, Report
from inkfold.packing.plan import Packing, Plan, make_plan
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.split import Fractions, Groups, numbered
from inkfold.packing.stage import FACTS, Prepared, Staged
from inkfold.picture import prepare
from inkfold.spec import SPLITS, TEST, TRAIN, VALIDATION, ImageSpec
from inkfold.tally import Tally
from inkfold.workers import Progress

TOGETHER = 256  # pictures that are prepared together
SIDES = {"train": TRAIN, "validation": VALIDATION, "test": TEST, None: NO_SIDE}
ALL: Fractions = (0.8, 0.1, 0.1)
TRAINING: Fractions = (0.9, 0.1, 0.0)  # of a set that has its own test


@dataclass(frozen=True, kw_only=True)
class Importing:
    """How to import; the same files and equal options give the same bytes.

    Parameters
    ----------
    format : str
        For the record.
    spec : ImageSpec
        Goes into the file; only its `ink` is not used, for the set knows its own.
    fractions : three numbers from 0 that add up to 1, optional
        Train, validation and test; of a set with its own test the first two divide the set's
        train. By default 0.8, 0.1, 0.1, and 0.9, 0.1 of a set's train.
    seed : int
    per_class : int, optional
        Keep at most so many pictures of a class, drawn by a hash.
    min_per_class : int
        Leave out classes with fewer pictures; at least 1.
    resplit : bool
        Divide all pictures anew, whatever the set's own split.
    transpose : bool
        Exchange rows and columns of every picture.
    label_column : str, optional
        Where the labels are, for the record.
    margin_around : float, optional
        What was cut out around boxes on pages, as a share of their longer side, for the record.
    """

    format: str
    spec: ImageSpec = field(default_factory=ImageSpec)
    fractions: Fractions | None = None
    seed: int = 0
    per_class: int | None = None
    min_per_class: int = 1
    resplit: bool = False
    transpose: bool = False
    label_column: str | None = None
    margin_around: float | None = None

    def packing(self) -> Packing:
        """The options that importing shares with packing a folder."""
        return Packing(
            spec=self.spec,
            fractions=self.fractions or ALL,
            seed=self.seed,
            per_class=self.per_class,
            min_per_class=self.min_per_class,
        )

    def training(self) -> Fractions:
        """How a set's own train is divided.

        Raises
        ------
        InkfoldError
            If the fractions give everything to test.
        """
        if self.fractions is None:
            return TRAINING
        return of_train(self.fractions)


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
    staged: Staged
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


def import_collection(
    collection: Collection,
    output: Path,
    importing: Importing,
    *,
    overwrite: bool,
    progress: Progress,
) -> Report:
    """Write a set as the dataset `output`.

    Parameters
    ----------
    collection : Collection
    output : Path
    importing : Importing
    overwrite : bool
        Whether an existing `output` is replaced.
    progress : callable
        ``progress(label, total)`` is a context that gives a function to call with each count done.

    Raises
    ------
    InkfoldError
        If `output` exists and `overwrite` is false, a file of the set is torn or changes while it
        is read, or no class is left.
    """
    check_free(output, overwrite=overwrite)
    packing = importing.packing()
    with scratch_folder(output) as scratch:
        reading = progress("reading", collection.count)
        with (
            reading as advance,
            stage_set(
                collection,
                importing.spec,
                scratch,
                transpose=importing.transpose,
                advance=advance,
            ) as public,
        ):
            official = _official(public, importing)
            plan = make_plan(public.listing, public.staged, packing, public.groups, official)
            rows = PackedRows(
                listing=public.listing,
                staged=public.staged,
                number=plan.number,
                groups=public.names,
            )
            with writing_dataset(output, plan.classes, packing.spec, overwrite=overwrite) as writer:
                with progress("writing", sum(map(len, plan.orders))) as written:
                    blank = rows.write(writer, plan.orders, written)
                writer.finish(_provenance(collection, importing, public, plan, blank))
            read = len(public.staged.good) + collection.unreadable.count
    return Report(
        plan=plan,
        read=read,
        unreadable=collection.unreadable,
        ignored=collection.ignored,
        blank=blank,
    )


@contextmanager
def stage_set(
    collection: Collection,
    spec: ImageSpec,
    scratch: Path,
    *,
    transpose: bool,
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
    advance : callable
        Called with the number of pictures after each 256.

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
        spec = replace(spec, ink=collection.ink)
        with all_unchanged(collection.files):
            for piece in _pieces(collection, transpose=transpose):
                done = prepare_glyphs(piece, spec)
                for glyph, digest in zip(piece, done.facts["file"], strict=True):
                    notes.add(glyph)
                    summary.update(_encoded(glyph.source) + b"\0" + digest.tobytes())
                images.append(done.images)
                facts.append(done.facts)
                advance(len(piece))
        staged = Staged(
            images=images,
            facts=facts,
            good=np.ones(len(images), bool),
            fingerprint=summary.hexdigest(),
            unreadable=Tally(),
        )
        yield _by_class(collection, staged, notes)


def _pieces(collection: Collection, *, transpose: bool) -> Iterator[list[Glyph]]:
    """The pictures of a set, up to 256 at a time; an error of the disk names a file of the set."""
    glyphs = collection.glyphs()
    place = collection.files[0].path if collection.files else Path(collection.name)
    while True:
        with naming(place):
            piece = list(islice(glyphs, TOGETHER))
        if not piece:
            return
        yield [replace(glyph, pixels=glyph.pixels.T) for glyph in piece] if transpose else piece


def prepare_glyphs(glyphs: Sequence[Glyph], spec: ImageSpec) -> Prepared:
    """Prepare pictures of a set.

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


def _by_class(collection: Collection, staged: Staged, notes: _Notes) -> StagedSet:
    """Number the pictures class by class; inside a class they stay in the set's order."""
    labels = np.frombuffer(notes.labels, np.int32)
    if not len(labels):
        raise _nothing_in(collection)
    order = np.argsort(labels, kind="stable").astype(np.int32)
    counts = np.bincount(labels, minlength=len(collection.classes))
    classes = list(zip(collection.classes, counts.tolist(), strict=True))
    groups = numbered(notes.groups)
    groups = Groups(groups.numbers[order], groups.named[order])
    for scratch in (staged.images, staged.facts, notes.sources, notes.groups):
        scratch.order = order
    grouped = bool(groups.named.any())
    return StagedSet(
        listing=Listing(
            classes=tuple(name for name, count in classes if count),
            paths=notes.sources,
            ends=np.cumsum(counts[counts > 0]),
            empty=tuple(name for name, count in classes if not count),
            ignored=Tally(),
        ),
        staged=staged,
        names=notes.groups if grouped else None,
        groups=groups if grouped else None,
        side=np.frombuffer(notes.sides, np.int8)[order],
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


def _official(public: StagedSet, importing: Importing) -> Official | None:
    """The set's own split, if it has one that is to be kept."""
    if importing.resplit or (public.side == NO_SIDE).all():
        return None
    return Official(public.side, importing.training())


def _provenance(
    collection: Collection, importing: Importing, public: StagedSet, plan: Plan, blank: Tally
) -> dict[str, Any]:
    """How the file was made: without paths and anything else that differs from run to run."""
    options = importing.packing().recorded()
    del options["group_by"]
    own = {name: getattr(importing, name) for name in ("format", "resplit", "transpose")}
    for name in ("label_column", "margin_around"):  # files without these keep their bytes
        if getattr(importing, name) is not None:
            own[name] = getattr(importing, name)
    left_out = {"unreadable": collection.unreadable.count, "ignored": collection.ignored.count}
    counts = {name: len(order) for name, order in zip(SPLITS, plan.orders, strict=True)}
    noticed = {
        "classes": len(plan.classes),
        "duplicates": plan.duplicates,
        "conflicts": plan.conflicts.count,
        "leaked": plan.leaked,
        "blank": blank.count,
    }
    return {
        "tool": "import_data",
        "options": options | own | {"split": importing.fractions, "read_ink": collection.ink},
        "seed": importing.seed,
        "source": {"fingerprint": public.staged.fingerprint},
        "counts": counts | noticed | {name: count for name, count in left_out.items() if count},
    }

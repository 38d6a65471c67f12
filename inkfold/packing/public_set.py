"""Importing: a public set becomes one dataset file, by the same steps as packing a folder."""

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

from inkfold.dataset.writer import digests, writing_dataset
from inkfold.errors import InkfoldError, PictureError
from inkfold.importers.collection import Collection, Glyph
from inkfold.output import check_free, scratch_folder
from inkfold.packing.pack import PackedRows, Report
from inkfold.packing.plan import NONE, Fractions, Official, Packing, Plan, make_plan
from inkfold.packing.scan import Listing, Tally
from inkfold.packing.scratch import Records, Spool
from inkfold.packing.split import Groups, numbered
from inkfold.packing.stage import BLOCK, FACTS, Prepared, Staged
from inkfold.picture import prepare
from inkfold.spec import SPLITS, TEST, TRAIN, ImageSpec
from inkfold.workers import Progress

SIDES = {"train": TRAIN, "test": TEST, None: NONE}
ALL: Fractions = (0.8, 0.1, 0.1)
TRAINING: Fractions = (0.9, 0.1, 0.0)  # of a set that has its own test


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
        classes=tuple(name for name, count in classes if count),
        paths=sources,
        ends=np.cumsum(counts[counts > 0]),
        empty=tuple(name for name, count in classes if not count),
        ignored=Tally(),
    )
    side = np.frombuffer(notes.sides, np.int8)[order]
    if not groups.named.any():
        return StagedSet(listing, staged, None, None, side)
    return StagedSet(listing, staged, names, groups, side)


@dataclass(frozen=True)
class Importing:
    """How to import; the same files and the same of these give the same bytes.

    Parameters
    ----------
    format : str
        For the record.
    spec : ImageSpec
        Goes into the file; only its `ink` is not used, for the set knows its own.
    fractions : three numbers from 0 that add up to 1, optional
        Train, validation and test; of a set with a test of its own the first two divide its train.
        Without it 0.8, 0.1, 0.1, and of a train 0.9, 0.1.
    seed : int
    per_class : int, optional
        Keep at most so many pictures of a class, drawn by a hash.
    min_per_class : int
        Leave out classes with fewer pictures; at least 1.
    resplit : bool
        Divide all pictures anew, whatever the set's own split.
    transpose : bool
        Exchange rows and columns of every picture.
    """

    format: str
    spec: ImageSpec = field(default_factory=ImageSpec)
    fractions: Fractions | None = None
    seed: int = 0
    per_class: int | None = None
    min_per_class: int = 1
    resplit: bool = False
    transpose: bool = False

    def packing(self) -> Packing:
        """The same, as far as packing a folder knows it."""
        return Packing(
            self.spec,
            self.fractions or ALL,
            self.seed,
            self.per_class,
            min_per_class=self.min_per_class,
        )

    def training(self) -> Fractions:
        """How a set's own train is divided."""
        if self.fractions is None:
            return TRAINING
        train, validation, _ = self.fractions
        if train + validation <= 0:
            raise InkfoldError(
                "the set has a test of its own, and --split leaves nothing for the rest; give "
                "fractions for train and validation, or add --resplit"
            )
        return train / (train + validation), validation / (train + validation), 0.0


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
    progress : callable
        ``progress(label, total)`` is a context that gives a function to call with each count done.

    Raises
    ------
    InkfoldError
        If `output` exists and `overwrite` is false, a file of the set is torn, or no class is left.
    """
    check_free(output, overwrite=overwrite, file=True)
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
            ) as held,
        ):
            official = _official(held, importing)
            plan = make_plan(held.listing, held.staged, packing, held.groups, official)
            rows = PackedRows(held.listing, held.staged, plan.number, held.names)
            with writing_dataset(output, plan.classes, packing.spec, overwrite=overwrite) as writer:
                with progress("writing", sum(map(len, plan.orders))) as written:
                    blank = rows.write(writer, plan.orders, written)
                writer.finish(_provenance(collection, importing, held, plan, blank))
    return Report(plan, Tally(), Tally(), blank)


def _official(held: StagedSet, importing: Importing) -> Official | None:
    """The set's own split, where it has one and it is to be kept."""
    if importing.resplit or (held.side == NONE).all():
        return None
    return Official(held.side, importing.training())


def _provenance(
    collection: Collection, importing: Importing, held: StagedSet, plan: Plan, blank: Tally
) -> dict[str, Any]:
    """How the file was made: no paths, nothing that changes from run to run."""
    options = replace(importing.packing(), group_by=None).recorded()
    del options["group_by"]
    own = {name: getattr(importing, name) for name in ("format", "resplit", "transpose")}
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
        "source": {"fingerprint": held.staged.fingerprint},
        "counts": counts | noticed,
    }

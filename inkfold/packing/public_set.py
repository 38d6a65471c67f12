"""From a public set to one dataset file, by the same steps as packing class folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inkfold.crew import Crew
from inkfold.dataset.writer import writing_dataset
from inkfold.importers.collection import Collection
from inkfold.output import check_free, scratch_folder
from inkfold.packing.given_split import Official, of_train
from inkfold.packing.listing import NO_SIDE
from inkfold.packing.pack import Report
from inkfold.packing.packed_rows import PackedRows, photographs_in
from inkfold.packing.plan import Packing, Plan, make_plan
from inkfold.packing.split import Fractions
from inkfold.packing.staged_set import StagedSet, stage_set
from inkfold.spec import SPLITS, ImageSpec
from inkfold.tally import Tally
from inkfold.workers import Progress

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
        Goes into the file; only its `ink` is not used, for the set knows its own. With the
        capture ``auto`` the set's pictures are scans: it is for the pictures that a network
        trained on them is asked about.
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


def import_collection(
    collection: Collection,
    output: Path,
    importing: Importing,
    *,
    crew: Crew,
    overwrite: bool,
    progress: Progress,
) -> Report:
    """Write a set as the dataset `output`.

    Parameters
    ----------
    collection : Collection
    output : Path
    importing : Importing
    crew : Crew
        Prepares the pictures; the file's bytes do not depend on it.
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
                crew=crew,
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
            photographs = photographs_in(public.staged, plan)
            read = len(public.staged.good) + collection.unreadable.count
    return Report(
        plan=plan,
        read=read,
        unreadable=collection.unreadable,
        ignored=collection.ignored,
        blank=blank,
        photographs=photographs,
        spec=packing.spec,
    )


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
    some = {
        "unreadable": collection.unreadable.count,
        "ignored": collection.ignored.count,
        "photographs": photographs_in(public.staged, plan),
    }
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
        "counts": counts | noticed | {name: count for name, count in some.items() if count},
    }

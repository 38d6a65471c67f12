"""Importing: a public set becomes one dataset file, by the same steps as packing a folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inkfold.dataset.writer import writing_dataset
from inkfold.division import NONE, Fractions, Official
from inkfold.errors import InkfoldError
from inkfold.glyph_staging import StagedSet, stage_set
from inkfold.importers.collection import Collection
from inkfold.output import check_free, scratch_folder
from inkfold.packed_rows import PackedRows
from inkfold.packing.pack import Progress, Report
from inkfold.packing.plan import Packing, Plan, make_plan
from inkfold.spec import SPLITS, ImageSpec
from inkfold.tally import Tally

ALL: Fractions = (0.8, 0.1, 0.1)
TRAINING: Fractions = (0.9, 0.1, 0.0)  # of a set that has its own test


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

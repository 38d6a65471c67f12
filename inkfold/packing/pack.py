"""From class folders to one dataset file: scan, stage, plan and write, in constant memory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from inkfold.archives.url import Place
from inkfold.crew import Crew
from inkfold.dataset.writer import writing_dataset
from inkfold.errors import InkfoldError
from inkfold.output import check_free, scratch_folder
from inkfold.packing.given_split import Official, of_train
from inkfold.packing.large_arrays import Rows as RowNumbers
from inkfold.packing.large_arrays import taken
from inkfold.packing.listing import NO_SIDE, Listing
from inkfold.packing.packed_rows import PackedRows, photographs_in
from inkfold.packing.plan import Packing, Plan, make_plan
from inkfold.packing.scan import label_by, scan
from inkfold.packing.scratch import Spool
from inkfold.packing.settle import settled
from inkfold.packing.sharded import Shards, Written, stage_in_buckets, write_shards
from inkfold.packing.source import Source, open_source
from inkfold.packing.split import Groups, group_name, numbered
from inkfold.packing.stage import Staged, StagedImages, stage
from inkfold.packing.stage_file import StagedBuckets, stage_files
from inkfold.picture_files import readable
from inkfold.spec import SPLITS, TEST, TRAIN, VALIDATION, ImageSpec
from inkfold.tally import Tally
from inkfold.workers import Progress

AnyStaged = TypeVar("AnyStaged", bound=Staged)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was packed, and what a user should know.

    Attributes
    ----------
    plan : Plan
    read : int
        Files or pictures that were read, whether they were packed or not.
    unreadable, ignored : Tally
        Files that could not be used, and files and folders that were left out.
    blank : Tally
        Packed pictures without ink.
    remarks : tuple of str
        What was recognised in the folder, and what was made of it.
    further : Tally
        Files of which the first frame or page was packed, and others were not.
    photographs : int
        Packed pictures that were prepared as photographs.
    spec : ImageSpec
        How the pictures were prepared.
    """

    plan: Plan
    read: int
    unreadable: Tally
    ignored: Tally
    blank: Tally
    remarks: tuple[str, ...] = ()
    further: Tally = field(default_factory=Tally)
    photographs: int = 0
    spec: ImageSpec = field(default_factory=ImageSpec)


def pack(
    folder: Place,
    output: Path,
    packing: Packing,
    *,
    crew: Crew,
    overwrite: bool,
    progress: Progress,
    shards: int | None = None,
) -> Report:
    """Pack the pictures in `folder`, which may be an archive, into the dataset `output`.

    Parameters
    ----------
    folder : Path or Url
    output : Path
    packing : Packing
    crew : Crew
        Reads and prepares the pictures; the file's bytes do not depend on it.
    overwrite : bool
        Whether an existing `output` is replaced.
    progress : callable
        ``progress(label, total)`` is a context that gives a function to call with each count done.
    shards : int, optional
        Rows of a shard, a multiple of 256: the dataset is then an index and shards, which the crew
        writes itself, and `output` is the index. All of the crew must see the output's folder.

    Raises
    ------
    InkfoldError
        If `output` exists and `overwrite` is false, `folder` holds no pictures in class folders,
        more files are unreadable than allowed, an archive changes meanwhile, or no class is left.
    """
    check_free(output, overwrite=overwrite)
    with scratch_folder(output) as scratch, ExitStack() as stack:
        with progress("looking", None):
            source = open_source(folder, scratch)
        with source.unchanged():
            with progress("looking", None):
                listing = stack.enter_context(closing(listed(source, packing, scratch)))
                names = stack.enter_context(_group_names(listing, packing, scratch))
            paths = listing.paths
            spec = settled(source, paths, packing.spec, packing.settle, crew)
            packing = replace(packing, spec=spec)
            with progress("reading", len(paths)) as advance:
                staged: StagedImages | StagedBuckets
                if shards is None:
                    work = stage(source, paths, spec, scratch, crew=crew, advance=advance)
                    staged = stack.enter_context(work)
                else:
                    files = stage_files(scratch, len(paths), packing, rows=shards, far=crew.far)
                    staged = stage_in_buckets(
                        source, paths, names, spec, files, crew=crew, advance=advance
                    )
        listing.refused.include(source.refused)
        staged.unreadable.include(listing.refused)
        read = len(paths) + listing.refused.count
        _check_unreadable(staged.unreadable, read, packing.allow_bad)
        groups = None if names is None else numbered(names)
        if listing.order is not None:
            staged, groups = _in_order(listing, listing.order, staged, names, groups)
        official = _official(listing, packing)
        plan = make_plan(listing, staged, packing, groups, official)
        photographs = photographs_in(staged, plan)
        provenance = partial(_provenance, packing, staged, plan, listing, photographs=photographs)
        if isinstance(staged, StagedImages):
            rows = PackedRows(listing=listing, staged=staged, number=plan.number, groups=names)
            written = Written(blank=Tally())
            with writing_dataset(output, plan.classes, spec, overwrite=overwrite) as writer:
                with progress("writing", sum(map(len, plan.orders))) as advance:
                    written.blank.include(rows.write(writer, plan.orders, advance))
                writer.finish(provenance(written.blank))
        else:
            written = write_shards(
                output,
                Shards(listing=listing, staged=staged, packing=packing, plan=plan, names=names),
                crew=crew,
                overwrite=overwrite,
                progress=progress,
                provenance=provenance,
            )
    return Report(
        plan=plan,
        read=read,
        unreadable=staged.unreadable,
        ignored=listing.ignored,
        blank=written.blank,
        further=staged.further,
        photographs=photographs,
        spec=spec,
        remarks=(*listing.remarks, *_split_remarks(official, plan), *_kept_remarks(written)),
    )


def listed(source: Source, packing: Packing, scratch: Path) -> Listing:
    """List the pictures in a source: by a table, by a pattern, or by class and split folders."""
    if packing.labels is not None:
        from inkfold.packing.table import labelled

        return labelled(source, packing.labels, dict(packing.columns), scratch)
    if packing.label_by is not None:
        return label_by(source, packing.label_by, scratch)
    return scan(source, scratch, packing.layout)


@contextmanager
def _group_names(listing: Listing, packing: Packing, scratch: Path) -> Iterator[Spool | None]:
    """The name of each picture's group, in the order of the paths; None where there are no groups.

    Raises
    ------
    InkfoldError
        If a table and a pattern both say the groups.
    """
    if packing.group_by is None:
        yield listing.groups
        return
    if listing.groups is not None:
        raise InkfoldError(
            f"{packing.labels} has a column for groups, and --group-by is given too; leave one of "
            "them out"
        )
    search = re.compile(packing.group_by)
    with closing(Spool(scratch / "groups")) as names:
        for path in listing.paths:
            names.append(group_name(readable(path), search).encode())
        yield names


def _in_order(
    listing: Listing,
    order: RowNumbers,
    staged: AnyStaged,
    names: Spool | None,
    groups: Groups | None,
) -> tuple[AnyStaged, Groups | None]:
    """Number what was staged and named in the order of the paths class by class."""
    for texts in (listing.paths, names):
        if texts is not None:
            texts.order = order
    if groups is not None:
        groups = Groups(taken(groups.numbers, order), taken(groups.named, order))
    return staged.in_order(order), groups


def _official(listing: Listing, packing: Packing) -> Official | None:
    """The split that the pictures come with, if it is to be kept."""
    if listing.side is None or packing.resplit:
        return None
    return Official(listing.side, of_train(packing.fractions))


def _split_remarks(official: Official | None, plan: Plan) -> Iterator[str]:
    """Where validation and test come from, if the pictures came with a split that lacks one."""
    if official is None:
        return
    given = {int(side) for side in np.unique(official.side)}
    if NO_SIDE in given:
        return
    if VALIDATION not in given and TRAIN in given:
        yield f"no validation was given: {len(plan.orders[VALIDATION]):,} pictures of train are it"
    if TEST not in given:
        yield "no test was given: there is none; --resplit divides all pictures anew"


def _kept_remarks(written: Written) -> Iterator[str]:
    """How many shards were there already."""
    if written.kept:
        yield f"shards that an earlier run had written, and that are whole: {written.kept:,}"


def _check_unreadable(unreadable: Tally, files: int, allowed: float) -> None:
    """Refuse a folder with too many unreadable files; `allowed` is in per cent of all files."""
    if unreadable.count * 100 > files * allowed:
        path, reason = unreadable.first[0]
        share = 100 * unreadable.count / files
        raise InkfoldError(
            f"{unreadable.count} of {files} files cannot be read ({share:.3g} %), the first is "
            f"{path!r}: {reason}; {allowed:g} % are allowed: "
            f"mend or remove them, or add --allow-bad {math.ceil(share)}"
        )


def _provenance(
    packing: Packing,
    staged: Staged,
    plan: Plan,
    listing: Listing,
    blank: Tally,
    *,
    photographs: int,
) -> dict[str, Any]:
    """How the file was made: without paths and anything else that differs from run to run."""
    counts = {name: len(order) for name, order in zip(SPLITS, plan.orders, strict=True)}
    return {
        "tool": "create_dataset",
        "options": packing.recorded(),
        "seed": packing.seed,
        "source": {"fingerprint": staged.fingerprint},
        "counts": counts
        | {
            "classes": len(plan.classes),
            "unreadable": staged.unreadable.count,
            "ignored": listing.ignored.count,
            "blank": blank.count,
            "duplicates": plan.duplicates,
            "conflicts": plan.conflicts.count,
            "photographs": photographs,
        }
        | ({"leaked": plan.leaked} if listing.side is not None and not packing.resplit else {}),
    }

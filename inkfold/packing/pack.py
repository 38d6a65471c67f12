"""From class folders to one dataset file: scan, stage, plan and write, in constant memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.url import Place
from inkfold.crew import Crew
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import DatasetWriter, Rows, writing_dataset
from inkfold.errors import InkfoldError
from inkfold.output import check_free, scratch_folder
from inkfold.packing.given_split import Official, of_train
from inkfold.packing.listing import NO_SIDE, Listing
from inkfold.packing.plan import Packing, Plan, make_plan
from inkfold.packing.scan import label_by, scan
from inkfold.packing.scratch import Spool
from inkfold.packing.settle import settled
from inkfold.packing.source import Source, open_source
from inkfold.packing.split import Groups, group_name, numbered
from inkfold.packing.stage import Staged, stage
from inkfold.picture import is_blank
from inkfold.picture_files import readable
from inkfold.spec import SPLITS, TEST, TRAIN, VALIDATION, ImageSpec
from inkfold.tally import Tally
from inkfold.workers import Progress


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
            paths = listing.paths
            spec = settled(source, paths, packing.spec, packing.settle, crew)
            packing = replace(packing, spec=spec)
            with progress("reading", len(paths)) as advance:
                work = stage(source, paths, packing.spec, scratch, crew=crew, advance=advance)
                staged = stack.enter_context(work)
        listing.refused.include(source.refused)
        staged.unreadable.include(listing.refused)
        files = len(paths) + listing.refused.count
        _check_unreadable(staged.unreadable, files, packing.allow_bad)
        names = listing.groups
        if packing.group_by is not None:
            if names is not None:
                raise InkfoldError(
                    f"{packing.labels} has a column for groups, and --group-by is given too; leave "
                    "one of them out"
                )
            names = stack.enter_context(closing(Spool(scratch / "groups")))
            _name_groups(paths, packing.group_by, names)
        groups = None if names is None else numbered(names)
        if listing.order is not None:
            staged, groups = _in_order(listing, listing.order, staged, names, groups)
        official = _official(listing, packing)
        plan = make_plan(listing, staged, packing, groups, official)
        rows = PackedRows(listing=listing, staged=staged, number=plan.number, groups=names)
        with writing_dataset(output, plan.classes, packing.spec, overwrite=overwrite) as writer:
            with progress("writing", sum(map(len, plan.orders))) as advance:
                blank = rows.write(writer, plan.orders, advance)
            photographs = photographs_in(staged, plan)
            writer.finish(
                _provenance(packing, staged, plan, listing, blank=blank, photographs=photographs)
            )
    return Report(
        plan=plan,
        read=files,
        unreadable=staged.unreadable,
        ignored=listing.ignored,
        blank=blank,
        further=staged.further,
        photographs=photographs,
        spec=packing.spec,
        remarks=(*listing.remarks, *_split_remarks(official, plan)),
    )


def listed(source: Source, packing: Packing, scratch: Path) -> Listing:
    """List the pictures in a source: by a table, by a pattern, or by class and split folders."""
    if packing.labels is not None:
        from inkfold.packing.table import labelled

        return labelled(source, packing.labels, dict(packing.columns), scratch)
    if packing.label_by is not None:
        return label_by(source, packing.label_by, scratch)
    return scan(source, scratch, packing.layout)


def _in_order(
    listing: Listing,
    order: NDArray[np.int32],
    staged: Staged,
    names: Spool | None,
    groups: Groups | None,
) -> tuple[Staged, Groups | None]:
    """Number what was staged and named in the order of the paths class by class."""
    for scratch in (staged.images, staged.facts, listing.paths, names):
        if scratch is not None:  # files of an object in a store may have been read in turns
            scratch.order = order if scratch.order is None else scratch.order[order]
    if groups is not None:
        groups = Groups(groups.numbers[order], groups.named[order])
    return replace(staged, good=staged.good[order]), groups


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


@dataclass(frozen=True, kw_only=True)
class PackedRows:
    """Where the rows of the file come from.

    Attributes
    ----------
    listing : Listing
    staged : Staged
    number : int32 array
        The label of each class of the listing.
    groups : Spool, optional
        The name of each picture's group, by row of the listing; empty where it is unknown.
    """

    listing: Listing
    staged: Staged
    number: NDArray[np.int32]
    groups: Spool | None = None

    def write(
        self,
        writer: DatasetWriter,
        orders: Sequence[NDArray[np.int32]],
        advance: Callable[[int], None],
    ) -> Tally:
        """Write the splits, each in its order; returns the blank pictures."""
        blank = Tally()
        width = max(len(readable(path).encode()) for path in self.listing.paths)
        group_width = max((len(name) for name in self.groups), default=0) if self.groups else 0
        widths = width, max(group_width, 1)
        for name, order in zip(SPLITS, orders, strict=True):
            with writer.split(name, len(order), like=self.rows(order[:0], widths)) as split:
                for start in range(0, len(order), CHUNK):
                    rows = self.rows(order[start : start + CHUNK], widths)
                    split.append(rows)
                    for source in rows.source[is_blank(rows.images)].tolist():
                        blank.add(source.decode(), "blank")
                    advance(len(rows))
        return blank

    def rows(self, chosen: NDArray[np.int32], widths: tuple[int, int]) -> Rows:
        """Chosen rows of the listing; `widths` are the bytes of a path and of a group's name."""
        paths = [readable(self.listing.paths[row]).encode() for row in chosen.tolist()]
        names = None if self.groups is None else [self.groups[row] for row in chosen.tolist()]
        return Rows(
            images=self.staged.images.take(chosen),
            labels=self.number[self.listing.labels(chosen)],
            source=np.array(paths, f"S{widths[0]}"),
            digest=self.staged.facts.take(chosen)["pixels"].copy().view(np.uint8),
            group=None if names is None else np.array(names, f"S{widths[1]}"),
        )


def photographs_in(staged: Staged, plan: Plan) -> int:
    """How many of the packed pictures were prepared as photographs."""
    photographs = staged.facts.column("photograph", 0)
    return sum(int(photographs[order].sum()) for order in plan.orders)


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


def _name_groups(paths: Spool, pattern: str, names: Spool) -> None:
    """Put the name of the group of each path into `names`."""
    search = re.compile(pattern)
    for path in paths:
        names.append(group_name(readable(path), search).encode())


def _provenance(
    packing: Packing,
    staged: Staged,
    plan: Plan,
    listing: Listing,
    *,
    blank: Tally,
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

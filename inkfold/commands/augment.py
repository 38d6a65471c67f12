"""``augment``: a dataset -> the same dataset with distorted copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import Advance, Clock, echo, progress, run
from inkfold.commands.crews import chosen_crew, cluster_option, workers_of
from inkfold.commands.options import (
    all_of,
    distortion_options,
    output_option,
    overwrite_option,
    quiet_option,
    seed_option,
    shards_option,
    workers_option,
)
from inkfold.extras import need
from inkfold.recipe import DEFAULT_DATASET, Distortion

if TYPE_CHECKING:
    from inkfold.augmentation.augment import Augmentation
    from inkfold.crew import Crew
    from inkfold.dataset.reader import Dataset


@click.command("augment")
@click.argument("dataset", type=click.Path(path_type=Path), default=Path(DEFAULT_DATASET))
@output_option(None, "The file to write.  [default: DATASET with _elastic before .h5]")
@click.option(
    "--copies",
    type=click.IntRange(1, 1000),
    default=9,
    show_default=True,
    help="Distorted copies of each training picture.",
)
@all_of(distortion_options(Distortion()))
@seed_option
@click.option(
    "--preview",
    metavar="SHEET.png",
    type=click.Path(path_type=Path),
    help="Also draw originals beside their copies, with the displacement.",
)
@workers_option
@cluster_option
@shards_option
@overwrite_option
@quiet_option
def command(
    dataset: Path,
    *,
    output: Path | None,
    copies: int,
    seed: int,
    preview: Path | None,
    workers: int | None,
    cluster: str | None,
    shards: int | None,
    overwrite: bool,
    quiet: bool,
    **amounts: float,
) -> int:
    """Add elastically distorted copies of the training pictures to a packed DATASET.

    \b
    Example:
        inkfold augment datasets/characters.h5 --copies 9 --preview sheet.png

    Validation and test pictures are copied untouched. DATASET is datasets/characters.h5 when it
    is not given.
    """
    if preview is not None:
        need("a preview", "matplotlib")
    from inkfold.workers import start_early

    processes = workers_of(workers, cluster)
    if dataset.is_file():
        module = "augment" if shards is None else "shards"
        start_early(processes, __name__, f"inkfold.augmentation.{module}")
    from inkfold.dataset.reader import open_dataset

    target = output or dataset.with_name(f"{dataset.stem}_elastic{dataset.suffix}")
    with open_dataset(dataset) as opened:  # a wrong path is an error before the slow imports
        from inkfold.augmentation.augment import Augmentation, check_augmentation

        augmentation = Augmentation(distortion=Distortion(**amounts), copies=copies, seed=seed)
        counts = check_augmentation(opened, target, augmentation, overwrite=overwrite)
        if preview is not None:
            _preview(opened, augmentation, preview, overwrite=overwrite)
        clock = Clock()
        with (
            chosen_crew(processes, cluster, sees=[dataset]) as crew,
            progress("augmenting", counts["train"], quiet=quiet) as advance,
        ):
            in_shards = _augment(
                opened,
                target,
                augmentation,
                shards,
                crew=crew,
                overwrite=overwrite,
                advance=advance,
            )
    echo(
        f"{target}: {counts['train']:,} training pictures, {counts['originals']:,} originals with "
        f"{copies} {'copy' if copies == 1 else 'copies'} each, from {dataset}; "
        f"{counts['train']:,} written{in_shards} in {clock.rate(counts['train'])}"
    )
    return 0


def _augment(
    dataset: Dataset,
    target: Path,
    augmentation: Augmentation,
    shards: int | None,
    *,
    crew: Crew,
    overwrite: bool,
    advance: Advance,
) -> str:
    """Write one file, or shards of so many rows; what is said of the shards."""
    if shards is None:
        from inkfold.augmentation.augment import augment_dataset

        augment_dataset(
            dataset, target, augmentation, crew=crew, overwrite=overwrite, advance=advance
        )
        return ""
    from inkfold.augmentation.shards import augment_shards

    written = augment_shards(
        dataset, target, augmentation, shards, crew=crew, overwrite=overwrite, advance=advance
    )
    earlier = f" ({written.kept:,} of them by an earlier run)" if written.kept else ""
    return f" as {written.shards:,} shards{earlier}"


def _preview(dataset: Dataset, augmentation: Augmentation, sheet: Path, *, overwrite: bool) -> None:
    """Draw the sheet of originals beside their copies, and print the strength of the distortion."""
    from inkfold.augmentation.preview import draw_sheet

    strength = draw_sheet(dataset, augmentation, sheet, overwrite=overwrite)
    echo(f"{sheet}: {strength}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``augment.py``; returns its exit code."""
    return run(command, argv)

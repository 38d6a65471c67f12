"""``export``: a dataset -> folders of picture files, or files for other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.next_lines import after_export
from inkfold.commands.options import overwrite_option, quiet_option
from inkfold.spec import SPLITS

if TYPE_CHECKING:
    from inkfold.dataset.export import Form


@click.command("export")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Write the pictures of one split only.  [default: of all three]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("png", "parquet", "npz", "idx")),
    default="png",
    show_default=True,
    help="png: folders to pack again; parquet: for Hugging Face's datasets; npz: for NumPy; "
    "idx: the files of MNIST.",
)
@overwrite_option
@quiet_option
def command(
    dataset: Path, folder: Path, *, split: str | None, form: Form, overwrite: bool, quiet: bool
) -> int:
    """Write the pictures of DATASET into FOLDER, to pack them again or for other tools.

    \b
        inkfold export datasets/mnist.h5 exported
        inkfold create_dataset exported --size 32 -o datasets/again.h5

    PNG files are FOLDER/SPLIT/CLASS/ROW.png, of one split alone FOLDER/CLASS/SPLIT-ROW.png; their
    ink is dark on white, and FOLDER/pictures.csv tells class, split, source and group of each.
    What the other formats hold, and how class names become folder names: docs/importing.md.
    """
    from inkfold.dataset.export import export_dataset
    from inkfold.dataset.reader import open_dataset

    clock, splits = Clock(), SPLITS if split is None else (split,)
    with open_dataset(dataset) as opened:
        total = sum(len(opened.split(name)) for name in splits)
        with progress("writing", total, quiet=quiet) as advance:
            exported = export_dataset(
                opened, folder, splits, form=form, overwrite=overwrite, advance=advance
            )
        size = opened.spec.size
    echo(
        f"{click.format_filename(folder)}: {exported.pictures:,} pictures from "
        f"{click.format_filename(dataset)}, written in {clock.rate(exported.pictures)}"
    )
    if exported.copies:
        echo(f"distorted copies, left out: {exported.copies:,}", err=True)
    if exported.edge and form != "npz":
        echo(
            "pictures with ink along most of the edge, which packing takes for paper: "
            f"{exported.edge:,}",
            err=True,
        )
    echo(after_export(folder, form, exported.splits, size, alone=split is not None))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold export``; returns its exit code."""
    return run(command, argv)

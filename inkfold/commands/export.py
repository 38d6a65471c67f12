"""``export``: a dataset -> class folders of picture files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.options import overwrite_option, quiet_option
from inkfold.spec import SPLITS


@click.command("export")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Write the pictures of one split only.  [default: of all three]",
)
@overwrite_option
@quiet_option
def command(dataset: Path, folder: Path, *, split: str | None, overwrite: bool, quiet: bool) -> int:
    """Write the pictures of DATASET as PNG files in class folders in FOLDER.

    \b
        inkfold export datasets/mnist.h5 exported
        python create_dataset.py exported --size 32 -o datasets/again.h5

    Ink is dark on white. Each file is FOLDER/CLASS/SPLIT-ROW.png; FOLDER/pictures.csv tells class,
    split, source and group of each. How class names become folder names: docs/importing.md.
    """
    from inkfold.dataset.class_folders import export_dataset
    from inkfold.dataset.reader import open_dataset

    clock, splits = Clock(), SPLITS if split is None else (split,)
    with open_dataset(dataset) as opened:
        total = sum(len(opened.split(name)) for name in splits)
        with progress("writing", total, quiet=quiet) as advance:
            exported = export_dataset(opened, folder, splits, overwrite=overwrite, advance=advance)
        size = opened.spec.size
    name = click.format_filename(folder)
    echo(
        f"{name}: {exported.pictures:,} pictures from {click.format_filename(dataset)} in "
        f"{clock.rate(exported.pictures)}"
    )
    if exported.copies:
        echo(f"distorted copies, left out: {exported.copies:,}", err=True)
    if exported.edge:
        echo(
            "pictures with ink along most of the edge, which packing takes for paper: "
            f"{exported.edge:,}",
            err=True,
        )
    echo(f"to pack it again: python create_dataset.py {shlex.quote(name)} --size {size}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold export``; returns its exit code."""
    return run(command, argv)

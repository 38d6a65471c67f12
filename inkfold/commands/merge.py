"""``merge``: a dataset in shards -> the same dataset in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.options import overwrite_option, quiet_option


@click.command("merge")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write.",
)
@overwrite_option
@quiet_option
def command(dataset: Path, *, output: Path, overwrite: bool, quiet: bool) -> int:
    """Write DATASET, which is in shards, as one file.

    \b
    Example:
        inkfold merge datasets/letters_elastic.h5 -o datasets/one.h5

    The file has the very bytes that the command which made the shards writes without --shards.
    Every shard is compared with its hash before; DATASET stays as it is.
    """
    from inkfold.dataset.merge import merge_dataset
    from inkfold.dataset.reader import open_dataset

    clock = Clock()
    with open_dataset(dataset) as opened:
        total = sum(map(len, opened.splits))
        with progress("writing", total, quiet=quiet) as advance:
            merge_dataset(opened, output, overwrite=overwrite, advance=advance)
        shards = len(opened.shards or ())
    echo(
        f"{click.format_filename(output)}: {total:,} pictures from {shards:,} shards of "
        f"{click.format_filename(dataset)}, written in {clock.rate(total)}"
    )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold merge``; returns its exit code."""
    return run(command, argv)

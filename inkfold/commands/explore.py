"""``explore``: a dataset -> one HTML page to look at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.options import output_option, overwrite_option, quiet_option, seed_option
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.extras import PAGE, need
from inkfold.output import check_free, new_file
from inkfold.recipe import DEFAULT_DATASET


@click.command("explore")
@click.argument("dataset", type=click.Path(path_type=Path), default=Path(DEFAULT_DATASET))
@output_option(None, "The page to write.  [default: DATASET with .html in place of .h5]")
@seed_option
@overwrite_option
@quiet_option
def command(dataset: Path, output: Path | None, seed: int, *, overwrite: bool, quiet: bool) -> int:
    """Write a page to look at a packed DATASET: one HTML file that needs no network.

    \b
    Example:
        inkfold explore datasets/characters.h5

    It shows how the set was made, class sizes, the quick part of the audit, samples, mean
    pictures and their variability, pixel statistics, PCA, t-SNE, and originals beside distorted
    copies. DATASET is datasets/characters.h5 when it is not given.
    """
    need("a page to explore", *PAGE, "sklearn")
    target = output or dataset.with_suffix(".html")
    with open_dataset(dataset) as opened:
        if target.exists() and target.samefile(dataset):
            raise InkfoldError(f"{target} is the dataset itself; choose another output with -o")
        check_free(target, overwrite=overwrite)

        from inkfold.audit.audit import audit
        from inkfold.explore.page import write_exploration
        from inkfold.explore.pictures import examples_wanted
        from inkfold.explore.projection import project
        from inkfold.explore.scan import explore, shown_split

        clock = Clock()
        rows = len(shown_split(opened))
        with progress("reading", rows, quiet=quiet) as advance:
            examples = examples_wanted(len(opened.classes))
            scan = explore(opened, examples=examples, seed=seed, advance=advance)
        checked = audit(opened, near=False, seed=seed, progress=partial(progress, quiet=quiet))
        pictures = len(scan.sample.labels)
        with progress(f"PCA and t-SNE of {pictures:,} pictures", None, quiet=quiet):
            projection = project(scan.sample.images, seed=seed)
        with new_file(target, overwrite=overwrite) as part:
            write_exploration(part, opened, scan, projection, checked)
            opened.check_unchanged()
    echo(
        f"{target}: {scan.counts.sum():,} pictures of {scan.counts.shape[1]:,} classes on a page "
        f"of {target.stat().st_size / 1e6:.1f} MB, from {dataset} in {clock.seconds:.1f} s"
    )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``explore.py``; returns its exit code."""
    return run(command, argv)

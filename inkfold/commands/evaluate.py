"""The command line of ``evaluate.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.bundle import Bundle, load_bundle
from inkfold.commands.cli import (
    Clock,
    output_option,
    overwrite_option,
    progress,
    quiet_option,
    run,
)
from inkfold.nouns import SPLITS
from inkfold.output import check_free, new_folder

if TYPE_CHECKING:
    from inkfold.dataset import Dataset
    from inkfold.evaluation import Evaluation


@click.command("evaluate")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(SPLITS[::-1]),
    default="test",
    show_default=True,
    help="The split to answer; only test was kept from every choice.",
)
@output_option(
    None,
    "Folder for the report.  [default: logs/NAME/evaluation; of other splits evaluation-SPLIT]",
)
@overwrite_option
@quiet_option
def command(
    bundle: Path, dataset: Path, split: str, output: Path | None, *, overwrite: bool, quiet: bool
) -> int:
    """Measure a bundle on pictures that it was not trained on.

    \b
    Example:
        python evaluate.py models/trained/cnn32 datasets/characters.h5

    It prints the figures as counts with their 95 % interval, and writes a folder with them: per
    class, the confusion matrix as a table and as a picture, the most confused pairs, and every
    picture that was answered wrongly.
    """
    loaded = load_bundle(bundle)
    ending = "evaluation" if split == "test" else f"evaluation-{split}"
    folder = output or Path("logs") / bundle.resolve().name / ending
    check_free(folder, overwrite=overwrite)
    from inkfold.dataset import open_dataset

    with open_dataset(dataset) as opened:
        _evaluate(loaded, opened, split, folder, overwrite=overwrite, quiet=quiet)
    return 0


def _evaluate(
    bundle: Bundle, dataset: Dataset, split: str, folder: Path, *, overwrite: bool, quiet: bool
) -> None:
    """Check, measure, write, print; what was kept from training is recorded in the bundle."""
    from inkfold.classifier import Classifier
    from inkfold.evaluation import evaluate
    from inkfold.matching import caveat, check_match, same_splits, split_of
    from inkfold.report import summary, write_report

    check_match(bundle, dataset, split)
    warning = caveat(bundle, dataset, split)
    if warning:
        click.echo(f"warning: {warning}", err=True)
    clock = Clock()
    with progress(split, len(split_of(dataset, split)), quiet=quiet) as advance:
        result = evaluate(Classifier(bundle), dataset, split, advance=advance)
    rate = clock.rate(result.accuracy.total)
    with new_folder(folder, overwrite=overwrite) as part:
        write_report(part, result, warning)
    _say(summary(result, warning))
    if same_splits(bundle, dataset):
        _publish(bundle, result)
    else:
        click.echo(f"not recorded in {bundle.path}: measured on another packing", err=True)
    _say(f"{folder}: {result.accuracy.total:,} pictures answered in {rate}")


def _say(text: str) -> None:
    """Print in UTF-8; what of a path is no text is escaped."""
    click.echo(text.encode("utf-8", "backslashreplace"))


def _publish(bundle: Bundle, result: Evaluation) -> None:
    """Record the score; a bundle that may not be written keeps what it has."""
    from inkfold.report import publish

    try:
        publish(bundle, result)
    except PermissionError as error:
        click.echo(f"warning: not recorded in {bundle.path}: {error.strerror}", err=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``evaluate.py``."""
    return run(command, argv)

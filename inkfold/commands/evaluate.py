"""``evaluate``: a bundle and a dataset -> a report; two bundles -> a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.bundle.bundle import COMES_ALONG, Bundle, load_bundle
from inkfold.commands.cli import Clock, echo, progress, run
from inkfold.commands.options import output_option, overwrite_option, quiet_option
from inkfold.extras import PAGE, need
from inkfold.folder_kinds import COMPARISON, REPORT
from inkfold.output import check_free, new_folder
from inkfold.spec import SPLITS

if TYPE_CHECKING:
    from inkfold.dataset.reader import Dataset
    from inkfold.evaluation.evaluate import Evaluation


@click.command("evaluate")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("others", metavar="[BUNDLE]", nargs=-1, type=click.Path(path_type=Path))
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
    "Folder for the report.  [default: logs/NAME/evaluation, of two bundles "
    "logs/NAME/comparison-with-OTHER; of other splits with -SPLIT]",
)
@overwrite_option
@quiet_option
def command(
    bundle: Path,
    others: tuple[Path, ...],
    dataset: Path,
    split: str,
    output: Path | None,
    *,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Measure a bundle on pictures that it was not trained on, or compare two.

    \b
    Examples:
        inkfold evaluate models/trained/cnn32 datasets/characters.h5
        inkfold evaluate models/trained/cnn32 models/trained/cnn32_wide datasets/characters.h5

    It prints the figures as counts with their 95 % interval, and writes a folder with them:
    report.html to read, and tables. Of one bundle it tells per class and group what was right,
    what was confused, how far its probabilities can be trusted, and which --reject of classify
    keeps wrong answers below a given share; the values that validation gives for it are recorded
    in the bundle. Of two bundles it tells whether one is better, and on which pictures they differ.
    """
    if len(others) > 1:
        raise click.UsageError(
            f"{1 + len(others)} bundles: give one to measure it, two to compare them"
        )
    need("an evaluation", *PAGE)
    bundles = [load_bundle(path) for path in (bundle, *others)]
    names = [loaded.path.resolve().name for loaded in bundles]
    ending = f"comparison-with-{names[1]}" if others else "evaluation"
    ending += "" if split == "test" else f"-{split}"
    folder = output or Path("logs") / names[0] / ending
    kind = COMPARISON if others else REPORT
    check_free(
        folder,
        overwrite=overwrite,
        kind=kind,
        inputs=[*(loaded.path for loaded in bundles), dataset],
    )
    from inkfold.dataset.reader import open_dataset

    measure = _compare if others else _evaluate
    with open_dataset(dataset) as opened:
        measure(bundles, opened, split, folder, overwrite=overwrite, quiet=quiet)
    return 0


def _evaluate(
    bundles: list[Bundle],
    dataset: Dataset,
    split: str,
    folder: Path,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Measure one bundle: check, answer, write, print, and record its score in the bundle."""
    from inkfold.bundle.history import read_history
    from inkfold.classifier import Classifier
    from inkfold.evaluation.advice import learned_by
    from inkfold.evaluation.calibrate import calibrate, unusable
    from inkfold.evaluation.compatibility import check_match, same_splits
    from inkfold.evaluation.evaluate import evaluate
    from inkfold.evaluation.page import write_evaluation_page
    from inkfold.evaluation.report import summary, write_report

    (bundle,) = bundles
    check_match(bundle, dataset, split)
    history = read_history(bundle.path)
    (warning,) = _print_warnings(bundles, dataset, split)
    clock = Clock()
    part, classifier = dataset.split(split), Classifier(bundle)
    held_out = 0 if unusable(bundle, dataset) else len(dataset.validation)
    with progress(split, held_out + len(part), quiet=quiet) as advance:
        calibration = calibrate(classifier, dataset, advance=advance)
        result = evaluate(classifier, dataset, split, calibration=calibration, advance=advance)
    measured, learned = result.accuracy.total, learned_by(bundle, dataset, history)
    rate = clock.rate(held_out + measured)
    with new_folder(folder, REPORT, overwrite=overwrite) as new:
        write_report(new, result, warning, learned)
        write_evaluation_page(new, result, warning, part, history, learned=learned)
        _check_unchanged(bundles, dataset)
    _print_escaped(summary(result, warning, learned))
    if bundle.path.parent == COMES_ALONG:
        echo(f"not recorded in {bundle.path}: it is a part of Inkfold", err=True)
    elif same_splits(bundle, dataset):
        _publish(bundle, result)
    else:
        echo(f"not recorded in {bundle.path}: measured on another packing", err=True)
    of = f"; {measured:,} of {split}, {held_out:,} to calibrate" if held_out else ""
    _print_escaped(f"{folder}: {held_out + measured:,} pictures answered in {rate}{of}")


def _compare(
    bundles: list[Bundle],
    dataset: Dataset,
    split: str,
    folder: Path,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Compare two bundles: check, answer with both, write, print; neither bundle changes."""
    from inkfold.classifier import Classifier
    from inkfold.dataset.originals import texts_at
    from inkfold.evaluation.compare import (
        check_comparable,
        compare,
        comparison_summary,
        write_comparison,
    )
    from inkfold.evaluation.compatibility import check_match
    from inkfold.evaluation.evaluate import evaluate

    check_comparable(*bundles)
    for bundle in bundles:
        check_match(bundle, dataset, split)
    warnings = [warning for warning in _print_warnings(bundles, dataset, split) if warning]
    clock, part = Clock(), dataset.split(split)
    with progress(split, 2 * len(part), quiet=quiet) as advance:
        results = [
            evaluate(Classifier(bundle), dataset, split, advance=advance) for bundle in bundles
        ]
    rate = clock.rate(2 * len(part))
    result = compare(results[0], results[1], partial(texts_at, part, "source"))
    with new_folder(folder, COMPARISON, overwrite=overwrite) as new:
        write_comparison(new, result, warnings, part)
        _check_unchanged(bundles, dataset)
    _print_escaped(comparison_summary(result, warnings))
    both = f"{len(part):,} pictures answered by both, {2 * len(part):,} answers"
    _print_escaped(f"{folder}: {both} in {rate}")


def _check_unchanged(bundles: list[Bundle], dataset: Dataset) -> None:
    """Refuse to keep a report if a file that it speaks of changed meanwhile."""
    dataset.check_unchanged()
    for bundle in bundles:
        bundle.check_unchanged()


def _print_warnings(bundles: list[Bundle], dataset: Dataset, split: str) -> list[str | None]:
    """Print and return what a reader must know about each bundle's figures; None for nothing."""
    from inkfold.evaluation.compatibility import caveat

    warnings = [caveat(bundle, dataset, split) for bundle in bundles]
    for warning in filter(None, warnings):
        echo(f"warning: {warning}", err=True)
    return warnings


def _print_escaped(text: str) -> None:
    """Print in UTF-8; bytes of a path that are not UTF-8 are escaped."""
    echo(text.encode("utf-8", "backslashreplace"))


def _publish(bundle: Bundle, result: Evaluation) -> None:
    """Record the score in the bundle, or warn that the bundle may not be written."""
    from inkfold.evaluation.report import publish

    try:
        publish(bundle, result)
    except PermissionError as error:
        echo(f"warning: not recorded in {bundle.path}: {error.strerror}", err=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``evaluate.py``; returns its exit code."""
    return run(command, argv)

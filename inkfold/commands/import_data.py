"""``import_data``: a public set's own files -> one dataset file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import SOME_FAILED, Clock, echo, progress, run
from inkfold.commands.crews import chosen_crew, cluster_option, workers_of
from inkfold.commands.next_lines import after_packing, quoted
from inkfold.commands.options import (
    fit_option,
    min_per_class_option,
    output_option,
    overwrite_option,
    per_class_option,
    public_capture_option,
    quiet_option,
    seed_option,
    size_option,
    split_option,
    threshold_option,
)
from inkfold.commands.packing_notes import made, notes
from inkfold.errors import InkfoldError
from inkfold.program import typed
from inkfold.spec import Capture, Fit, ImageSpec, Threshold

if TYPE_CHECKING:
    from inkfold.packing.pack import Report


def _one_or_two(_context: object, _argument: object, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of ``[FORMAT] SOURCE``, checked to be one or two."""
    if len(words) not in (1, 2):
        raise click.UsageError(f"{len(words)} arguments; expected FORMAT SOURCE, or SOURCE alone")
    return words


@click.command("import_data")
@click.argument("format_and_source", nargs=-1, metavar="[FORMAT] SOURCE", callback=_one_or_two)
@output_option(None, "Dataset file to write.  [default: datasets/NAME.h5, NAME the set's]")
@size_option
@split_option(
    None,
    "Fractions of each class for train, validation and test; where the set has a test of its own, "
    "the first two divide the rest.  [default: 0.8,0.1,0.1; of a set's own train 0.9 and 0.1]",
)
@click.option("--resplit", is_flag=True, help="Divide anew, whatever the set's own split.")
@seed_option
@public_capture_option("auto")
@fit_option
@threshold_option
@click.option(
    "--transpose",
    is_flag=True,
    help="Exchange rows and columns of every picture, where the format has them wrong.",
)
@click.option(
    "--label-column",
    metavar="COLUMN",
    help="csv: the column of the labels, by its name, as first or last, or by its number from 1; "
    "npz, mat, parquet: the array or column of the labels.  [default: by names, else "
    "by values and shapes]",
)
@click.option(
    "--margin-around",
    type=click.FloatRange(0, 10),
    metavar="SHARE",
    help="coco, yolo, voc, page-xml, alto: what is cut out around each box, as a share of its "
    "longer side.  [default: 0.1]",
)
@per_class_option
@min_per_class_option
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Processes that prepare the pictures, which this one reads; the output is the same for "
    "any number. More than one pay for photographs and large pictures alone.  [default: 1]",
)
@cluster_option
@overwrite_option
@quiet_option
def command(
    format_and_source: tuple[str, ...],
    *,
    output: Path | None,
    size: int,
    split: tuple[float, float, float] | None,
    resplit: bool,
    seed: int,
    capture: Capture,
    fit: Fit,
    threshold: Threshold,
    transpose: bool,
    label_column: str | None,
    margin_around: float | None,
    per_class: int | None,
    min_per_class: int,
    workers: int | None,
    cluster: str | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Make one dataset file of a public data set's own files.

    \b
        inkfold import_data idx downloads/mnist -o datasets/mnist.h5
        inkfold import_data downloads/mnist      # says which format it is

    SOURCE is the folder of the set's files as they were downloaded, one of the files, or the
    beginning of their names (downloads/emnist-letters).

    The formats: idx, emnist, emnist-mat, npz, mat, parquet, hasy, csv, omniglot, nist-sd19, casia,
    etl1, etl6, etl7, etl8b, etl8g, etl9b, etl9g, coco, yolo, voc, page-xml, alto.
    They are described in docs/importing.md and docs/importing-formats.md.
    """
    if len(format_and_source) == 1:
        return _guess_format(Path(format_and_source[0]))
    name, source = format_and_source[0], Path(format_and_source[1])
    from inkfold.importers import formats
    from inkfold.importers.page_crops import MARGIN
    from inkfold.output import check_free, naming
    from inkfold.workers import start_early

    processes = 1 if workers is None and cluster is None else workers_of(workers, cluster)
    inputs = _files_named(source)
    if output is not None:
        check_free(output, overwrite=overwrite, inputs=inputs)
    if margin_around is None and name in formats.PAGES:
        margin_around = MARGIN
    if inputs:
        start_early(processes, "inkfold.packing.staged_set")
    clock = Clock()
    with naming(source):
        collection = formats.read(name, source, label_column=label_column, margin=margin_around)
    output = output or Path("datasets") / f"{collection.name}.h5"
    check_free(output, overwrite=overwrite, inputs=inputs)
    from inkfold.packing.public_set import Importing, import_collection

    importing = Importing(
        format=name,
        spec=ImageSpec.of(size=size, fit=fit, ink="auto", threshold=threshold, capture=capture),
        fractions=split,
        seed=seed,
        per_class=per_class,
        min_per_class=min_per_class,
        resplit=resplit,
        transpose=transpose,
        label_column=label_column,
        margin_around=margin_around,
    )
    with chosen_crew(processes, cluster, sees=[]) as crew:
        report = import_collection(
            collection,
            output,
            importing,
            crew=crew,
            overwrite=overwrite,
            progress=partial(progress, quiet=quiet),
        )
    for note in collection.notes:
        echo(note, err=True)
    _print_report(report, source, output, clock, own_test=split is None)
    return SOME_FAILED if report.unreadable.count else 0


def _print_report(
    report: Report, source: Path, output: Path, clock: Clock, *, own_test: bool
) -> None:
    """Print what was made, what to look at, and the command that comes next."""
    echo(made(report, output, source, "pictures", clock))
    for line in notes(report):
        echo(line, err=True)
    for line in after_packing(report, output, own_test=own_test):
        echo(line)


def _files_named(source: Path) -> list[Path]:
    """The source itself, or the files whose names it begins."""
    if source.exists():
        return [source]
    return [path for path in source.parent.glob("*") if path.name.startswith(source.name)]


def _guess_format(source: Path) -> int:
    """Print which format a source seems to have, why, and the line to type; the exit code."""
    from inkfold.importers.formats import FORMATS

    reasons = ((name, reader.recognise(source)) for name, reader in FORMATS.items())
    likely = [(name, reason) for name, reason in reasons if reason]
    if not likely:
        raise InkfoldError(f"{source}: {' '.join(_advice(source))}")
    for name, reason in likely:
        echo(f"{click.format_filename(source)} seems to be {name}: {reason}")
        echo(f"next: {typed('import_data')} {name} {quoted(source)}")
    return 0


def _advice(source: Path) -> Iterator[str]:
    """What is wrong with a source that no format recognises, and what to do."""
    from inkfold.importers.formats import FORMATS

    if not source.exists():
        yield "no such file or folder;"
    elif source.suffix.lower() in (".zip", ".tar", ".tgz", ".rar", ".7z"):
        yield "an archive; unpack it and give the folder;"
    else:
        yield "of no format that is known here;"
        if source.is_dir():
            yield f"class folders of pictures are packed with: {typed('create_dataset')} FOLDER;"
    yield f"formats are {', '.join(FORMATS)}, described with: {typed('import_data')} --help"


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``import_data.py``; returns its exit code."""
    return run(command, argv)

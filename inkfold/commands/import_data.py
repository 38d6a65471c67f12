"""``import_data``: a public data set's own files into one dataset file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import Clock, progress, run
from inkfold.commands.options import (
    fit_option,
    min_per_class_option,
    output_option,
    overwrite_option,
    per_class_option,
    quiet_option,
    seed_option,
    size_option,
    split_option,
    threshold_option,
)
from inkfold.commands.packing_notes import made, notes
from inkfold.errors import InkfoldError
from inkfold.spec import Fit, ImageSpec, Threshold

if TYPE_CHECKING:
    from inkfold.importers.formats import Format
    from inkfold.packing.pack import Report


def _given(_context: object, _argument: object, given: tuple[str, ...]) -> tuple[str, ...]:
    if len(given) not in (1, 2):
        raise click.UsageError(f"{len(given)} arguments; expected FORMAT SOURCE, or SOURCE alone")
    return given


@click.command("import_data")
@click.argument("given", nargs=-1, metavar="[FORMAT] SOURCE", callback=_given)
@output_option(None, "Dataset file to write.  [default: datasets/NAME.h5, NAME the set's]")
@size_option
@split_option(
    None,
    "Fractions of each class for train, validation and test; where the set has a test of its own, "
    "the first two divide the rest.  [default: 0.8,0.1,0.1; of a set's own train 0.9 and 0.1]",
)
@click.option("--resplit", is_flag=True, help="Divide anew, whatever the set's own split.")
@seed_option
@fit_option
@threshold_option
@click.option(
    "--transpose",
    is_flag=True,
    help="Exchange rows and columns of every picture, where the format has them wrong.",
)
@per_class_option
@min_per_class_option
@overwrite_option
@quiet_option
def command(
    given: tuple[str, ...],
    *,
    output: Path | None,
    size: int,
    split: tuple[float, float, float] | None,
    resplit: bool,
    seed: int,
    fit: Fit,
    threshold: Threshold,
    transpose: bool,
    per_class: int | None,
    min_per_class: int,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Make one dataset file of a public data set's own files.

    \b
        python import_data.py idx downloads/mnist -o datasets/mnist.h5
        python import_data.py downloads/mnist      # says which format it is

    SOURCE is the folder of the set's files as they were downloaded, one of the files, or the
    beginning of their names (downloads/emnist-letters).

    The formats: idx, emnist, emnist-mat, npz, hasy, csv, nist-sd19, omniglot, casia, etl1, etl6,
    etl7, etl8b, etl8g, etl9b, etl9g. They are described in docs/importing.md and
    docs/importing-formats.md.
    """
    if len(given) == 1:
        return _guess(Path(given[0]))
    source, how = Path(given[1]), _format(given[0])
    from inkfold.output import check_free

    if output is not None:
        check_free(output, overwrite=overwrite, file=True)
    clock = Clock()
    collection = how.read(source)
    output = output or Path("datasets") / f"{collection.name}.h5"
    check_free(output, overwrite=overwrite, file=True)
    from inkfold.packing.public_set import Importing, import_collection

    importing = Importing(
        format=given[0],
        spec=ImageSpec.of(size=size, fit=fit, ink="auto", threshold=threshold),
        fractions=split,
        seed=seed,
        per_class=per_class,
        min_per_class=min_per_class,
        resplit=resplit,
        transpose=transpose,
    )
    report = import_collection(
        collection,
        output,
        importing,
        overwrite=overwrite,
        progress=partial(progress, quiet=quiet),
    )
    _tell(report, source, output, clock)
    return 0


def _tell(report: Report, source: Path, output: Path, clock: Clock) -> None:
    """What was made, what was noticed, what comes next."""
    name = click.format_filename(output)
    click.echo(made(report, name, click.format_filename(source), clock))
    for line in notes(report):
        click.echo(line, err=True)
    if len(report.plan.orders[0]):
        click.echo(f"next: python augment.py {shlex.quote(name)}")
    else:
        click.echo("nothing to train on: all of it is the set's own test; --resplit divides it")


def _format(name: str) -> Format:
    """The format of this name."""
    from inkfold.importers.formats import FORMATS

    if name not in FORMATS:
        raise InkfoldError(
            f"{name!r} is no format; expected one of {', '.join(FORMATS)}; give SOURCE alone to be "
            "told which it is"
        )
    return FORMATS[name]


def _guess(source: Path) -> int:
    """Say of which format a source seems to be, why, and what to type."""
    from inkfold.importers.formats import FORMATS

    reasons = ((name, how.recognise(source)) for name, how in FORMATS.items())
    likely = [(name, reason) for name, reason in reasons if reason]
    if not likely:
        raise InkfoldError(f"{source}: {' '.join(_hints(source))}")
    for name, reason in likely:
        click.echo(f"{click.format_filename(source)} seems to be {name}: {reason}")
        click.echo(f"next: python import_data.py {name} {shlex.quote(str(source))}")
    return 0


def _hints(source: Path) -> Iterator[str]:
    """What to do about a source that no format knows."""
    from inkfold.importers.formats import FORMATS

    if not source.exists():
        yield "no such file or folder;"
    elif source.suffix.lower() in (".zip", ".tar", ".tgz", ".rar", ".7z"):
        yield "an archive; unpack it and give the folder;"
    else:
        yield "of no format that is known here;"
        if source.is_dir():
            yield "class folders of pictures are packed by create_dataset.py;"
    yield f"formats are {', '.join(FORMATS)}, described in docs/importing.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(command, argv)

"""``create_dataset``: class folders -> one dataset file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import SOME_FAILED, Clock, echo, progress, run
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
    workers_option,
)
from inkfold.commands.packing_notes import made, notes
from inkfold.recipe import DEFAULT_DATASET
from inkfold.spec import Fit, ImageSpec, Ink, Threshold

if TYPE_CHECKING:
    from inkfold.packing.pack import Report


def _pattern(_context: object, _option: object, text: str | None) -> str | None:
    """The text of ``--group-by``, checked to be a regular expression."""
    try:
        re.compile(text or "")
    except re.error as error:
        raise click.BadParameter(f"{text!r} is no regular expression: {error}") from None
    return text


@click.command("create_dataset")
@click.argument("folder", type=click.Path(path_type=Path))
@output_option(DEFAULT_DATASET, "Dataset file to write.")
@size_option
@split_option(
    "0.8,0.1,0.1",
    "Fractions of each class for train, validation and test.",
)
@seed_option
@fit_option
@click.option(
    "--ink",
    type=click.Choice(("auto", "dark", "light")),
    default="auto",
    show_default=True,
    help="Which side of the paper the ink is on; auto finds out, picture by picture.",
)
@threshold_option
@per_class_option
@click.option(
    "--group-by",
    metavar="REGEX",
    callback=_pattern,
    help="Keep pictures together whose path has the same match (or first parenthesis): "
    "'w(\\d+)_' for a writer's number.",
)
@min_per_class_option
@click.option(
    "--allow-bad",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="How many of the files may be unreadable.",
)
@workers_option
@overwrite_option
@quiet_option
def command(
    folder: Path,
    *,
    output: Path,
    size: int,
    split: tuple[float, float, float],
    seed: int,
    fit: Fit,
    ink: Ink,
    threshold: Threshold,
    per_class: int | None,
    group_by: str | None,
    min_per_class: int,
    allow_bad: float,
    workers: int | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Pack the pictures in FOLDER/CLASS/ into one dataset file.

    \b
        python create_dataset.py letters --size 32 --fit ink -o datasets/letters.h5

    The name of each folder in FOLDER is a class; folders inside it belong to it. Pictures are
    files of any size, dark on light or light on dark: PNG, JPEG, BMP, TIFF, WebP, GIF, AVIF, JPEG
    2000, PBM, PGM, PPM, PNM, PAM or Sun raster, and HEIC where pillow-heif is installed
    (inkfold[heic]). A file in another format of pictures is named and counted as unreadable.
    """
    from inkfold.output import check_free
    from inkfold.workers import local_executor, processors, start_early

    workers = workers or processors()
    if folder.is_dir():
        start_early(workers, __name__, "inkfold.packing.stage")
    from inkfold.packing.scan import require_folder

    check_free(output, overwrite=overwrite, inputs=[folder])
    require_folder(folder)
    from inkfold.packing.pack import pack
    from inkfold.packing.plan import Packing

    clock = Clock()
    packing = Packing(
        spec=ImageSpec.of(size=size, fit=fit, ink=ink, threshold=threshold),
        fractions=split,
        seed=seed,
        per_class=per_class,
        group_by=group_by,
        min_per_class=min_per_class,
        allow_bad=allow_bad,
    )
    with local_executor(workers) as executor:
        report = pack(
            folder,
            output,
            packing,
            executor=executor,
            overwrite=overwrite,
            progress=partial(progress, quiet=quiet),
        )
    _print_report(report, folder, output, clock)
    return SOME_FAILED if report.unreadable.count else 0


def _print_report(report: Report, folder: Path, output: Path, clock: Clock) -> None:
    """Print what was made, what to look at, and the command that comes next."""
    name = click.format_filename(output)
    echo(made(report, name, click.format_filename(folder), clock))
    for line in notes(report):
        echo(line, err=True)
    default = output == Path(DEFAULT_DATASET)
    echo("next: python augment.py" + ("" if default else f" {shlex.quote(name)}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``create_dataset.py``; returns its exit code."""
    return run(command, argv)

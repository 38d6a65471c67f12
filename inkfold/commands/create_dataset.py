"""``create_dataset``: class folders -> one dataset file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.archives.url import Place, Url, place
from inkfold.commands.cli import SOME_FAILED, Clock, echo, progress, run
from inkfold.commands.crews import chosen_crew, cluster_option, workers_of
from inkfold.commands.next_lines import after_packing
from inkfold.commands.options import (
    automatic_fit_option,
    automatic_threshold_option,
    capture_option,
    min_per_class_option,
    output_option,
    overwrite_option,
    per_class_option,
    quiet_option,
    seed_option,
    shards_option,
    size_option,
    split_option,
    workers_option,
)
from inkfold.commands.packing_notes import made, notes
from inkfold.recipe import DEFAULT_DATASET
from inkfold.spec import Capture, Fit, ImageSpec, Ink, Threshold

if TYPE_CHECKING:
    from inkfold.packing.layout import Layout
    from inkfold.packing.pack import Report


def _place(_context: object, _option: object, text: str | None) -> Place | None:
    """The path or the address in an object store that was typed."""
    return None if text is None else place(text)


def _pattern(_context: object, _option: object, text: str | None) -> str | None:
    """The text of an option, checked to be a regular expression."""
    try:
        re.compile(text or "")
    except re.error as error:
        raise click.BadParameter(f"{text!r} is no regular expression: {error}") from None
    return text


def _columns(_context: object, _option: object, text: str | None) -> tuple[tuple[str, str], ...]:
    """The pairs in ``path=FILE,label=CHARACTER``."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part]
    for kind, equals, column in pairs:
        if not (kind and equals and column):
            raise click.BadParameter(f"{text!r} is not like path=FILE,label=CHARACTER")
    return tuple((kind.strip(), column) for kind, _, column in pairs)


@click.command("create_dataset")
@click.argument("source", metavar="SOURCE", callback=_place)
@output_option(DEFAULT_DATASET, "Dataset file to write.")
@size_option
@split_option(
    "0.8,0.1,0.1",
    "Fractions of each class for train, validation and test.",
)
@click.option(
    "--resplit", is_flag=True, help="Divide anew, whatever split folders or a table's column say."
)
@click.option(
    "--layout",
    type=click.Choice(("auto", "classes", "splits")),
    default="auto",
    show_default=True,
    help="What folders that are called train, val or test are; auto finds out.",
)
@click.option(
    "--label-by",
    metavar="REGEX",
    callback=_pattern,
    help="Take the class from each picture's path, by the first parenthesis or the whole match: "
    "'([A-Z])-\\d+' for A-0007.png.",
)
@click.option(
    "--labels",
    metavar="TABLE",
    callback=_place,
    help="Take the classes from a table with a path and a label a row, and if it has them a split "
    "and a group: CSV, TSV, JSON lines or Parquet. letters.zip/labels.csv is a table in an "
    "archive.",
)
@click.option(
    "--columns",
    metavar="KIND=NAME,...",
    callback=_columns,
    help="The table's columns, where their names do not say it: path=FILE,label=SIGN.",
)
@seed_option
@capture_option
@automatic_fit_option
@click.option(
    "--ink",
    type=click.Choice(("auto", "dark", "light")),
    default="auto",
    show_default=True,
    help="Which side of the paper the ink is on; auto finds out, picture by picture.",
)
@automatic_threshold_option
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
@cluster_option
@shards_option
@overwrite_option
@quiet_option
def command(
    source: Place,
    *,
    output: Path,
    size: int,
    split: tuple[float, float, float],
    resplit: bool,
    layout: Layout,
    label_by: str | None,
    labels: Place | None,
    columns: tuple[tuple[str, str], ...],
    seed: int,
    capture: Capture,
    fit: Fit | None,
    ink: Ink,
    threshold: Threshold | None,
    per_class: int | None,
    group_by: str | None,
    min_per_class: int,
    allow_bad: float,
    workers: int | None,
    cluster: str | None,
    shards: int | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Pack the pictures in SOURCE/CLASS/ into one dataset file.

    \b
        inkfold create_dataset letters --size 32 --fit ink -o datasets/letters.h5

    SOURCE is a folder, or a .zip, .tar, .tar.gz or .tgz file that stands for one, which may lie in
    an object store: s3://BUCKET/letters.zip or gs://... (inkfold[cloud]). The name of each folder
    in it is a class; folders inside it belong to it. Folders called train, val and test (above the
    class folders, or inside of them) are the split, and are kept. Pictures are files of any size,
    dark on light or light on dark: PNG, JPEG, BMP, TIFF, WebP, GIF, AVIF, JPEG 2000, PBM, PGM, PPM,
    PNM, PAM or Sun raster, and HEIC where pillow-heif is installed (inkfold[heic]). A file in
    another format of pictures is named and counted as unreadable.
    """
    _check_together(layout=layout, label_by=label_by, labels=labels, columns=columns)
    from inkfold.output import check_free
    from inkfold.workers import start_early

    processes = workers_of(workers, cluster)
    if isinstance(source, Url) or source.exists():
        start_early(processes, __name__, "inkfold.packing.stage")
    from inkfold.packing.source import require_source

    files = [each for each in (source, labels) if isinstance(each, Path) and each.exists()]
    check_free(output, overwrite=overwrite, inputs=files)
    require_source(source)
    from inkfold.packing.pack import pack
    from inkfold.packing.plan import Packing

    clock = Clock()
    packing = Packing(
        spec=ImageSpec.of(
            size=size, fit=fit or "pad", ink=ink, threshold=threshold or "none", capture=capture
        ),
        settle=tuple(
            name for name, given in (("fit", fit), ("threshold", threshold)) if given is None
        ),
        fractions=split,
        seed=seed,
        per_class=per_class,
        group_by=group_by,
        min_per_class=min_per_class,
        allow_bad=allow_bad,
        layout=layout,
        resplit=resplit,
        label_by=label_by,
        labels=labels,
        columns=columns,
    )
    seen = [source] if isinstance(source, Path) else []  # workers ask the store themselves
    # workers write shards beside the output, and read there what a compressed archive unpacks to
    shared = shards is not None or str(source).lower().endswith((".gz", ".tgz"))
    if shared and output.parent.is_dir():
        seen.append(output.parent)
    with chosen_crew(processes, cluster, sees=seen) as crew:
        report = pack(
            source,
            output,
            packing,
            crew=crew,
            overwrite=overwrite,
            progress=partial(progress, quiet=quiet),
            shards=shards,
        )
    _print_report(report, source, output, clock)
    return SOME_FAILED if report.unreadable.count else 0


def _check_together(
    *, layout: Layout, label_by: str | None, labels: Place | None, columns: object
) -> None:
    """Refuse options that exclude each other."""
    if label_by and labels:
        raise click.UsageError("--label-by and --labels both say the class; give one of them")
    if layout != "auto" and (label_by or labels):
        raise click.UsageError(
            "--layout is about class folders; leave it out, or --label-by and --labels"
        )
    if columns and not labels:
        raise click.UsageError("--columns is about a table; give --labels TABLE as well")


def _print_report(report: Report, source: Place, output: Path, clock: Clock) -> None:
    """Print what was made, what to look at, and the command that comes next."""
    echo(made(report, output, source, "files", clock))
    for line in notes(report):
        echo(line, err=True)
    for line in after_packing(report, output):
        echo(line)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``create_dataset.py``; returns its exit code."""
    return run(command, argv)

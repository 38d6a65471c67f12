"""``inkfold audit``: what is wrong with a dataset, and a cleaned copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import SOME_FAILED, Clock, progress, run
from inkfold.commands.options import output_option, overwrite_option, quiet_option, seed_option
from inkfold.errors import InkfoldError
from inkfold.output import check_free, new_folder

if TYPE_CHECKING:
    from inkfold.audit.audit import Audit
    from inkfold.dataset.reader import Dataset


@click.command("audit")
@click.argument("dataset", type=click.Path(path_type=Path))
@output_option(None, "Folder for the lists and sheets.  [default: the summary alone, on stdout]")
@click.option("--quick", is_flag=True, help="Leave out the network, and the suspected labels.")
@click.option(
    "--fix",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a cleaned dataset there, and FILE.dropped.csv: what it left out and why.",
)
@seed_option
@overwrite_option
@quiet_option
def command(
    dataset: Path,
    *,
    output: Path | None,
    quick: bool,
    fix: Path | None,
    seed: int,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Find what is wrong with a dataset: blank pictures, leaks, wrong labels.

    \b
    Examples:
        inkfold audit datasets/characters.h5 -o logs/audit
        inkfold audit datasets/characters.h5 --quick --fix datasets/clean.h5

    It looks at the originals of all three splits; distorted copies are left out. The suspected
    wrong labels come from a quick network, trained five times in a minute or a few, and need the
    extra: pip install 'inkfold[audit]'.

    \b
    Exit codes:
        0  no leak
        1  a picture is in two splits, pixel by pixel (also when --fix has written a copy without)
        2  a mistake, told in one line
    """
    from inkfold.dataset.reader import open_dataset

    _check(output, fix, overwrite=overwrite)
    with open_dataset(dataset) as opened:
        if not sum(map(len, (opened.train, opened.validation, opened.test))):
            raise InkfoldError(f"{dataset} holds no picture; pack a folder that has some")
        return _audit(opened, output, fix, quick, seed, overwrite=overwrite, quiet=quiet)


def _check(output: Path | None, fix: Path | None, *, overwrite: bool) -> None:
    """Refuse outputs that cannot be written."""
    if output is not None:
        check_free(output, overwrite=overwrite)
        if output.is_file():
            raise InkfoldError(f"{output} is a file; give -o the name of a folder")
    if fix is not None:
        check_free(fix, overwrite=overwrite, file=True)
        check_free(_list_of(fix), overwrite=overwrite, file=True)


def _list_of(fix: Path) -> Path:
    """Where the dropped pictures are listed."""
    return fix.with_name(f"{fix.name}.dropped.csv")


def _audit(
    dataset: Dataset,
    output: Path | None,
    fix: Path | None,
    quick: bool,
    seed: int,
    *,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Look, say, write."""
    from inkfold.audit.audit import audit
    from inkfold.audit.clean import check_cleanable
    from inkfold.audit.report import summary, write_audit

    if fix is not None:
        check_cleanable(dataset, fix, overwrite=overwrite)
    clock = Clock()
    found = audit(dataset, quick=quick, seed=seed, progress=partial(progress, quiet=quiet))
    click.echo(summary(found).encode("utf-8", "backslashreplace"), nl=False)
    if output is not None:
        with new_folder(output, overwrite=overwrite) as folder:
            write_audit(folder, found, dataset)
    where = "" if output is None else f", the lists are in {click.format_filename(output)}"
    click.echo(f"{len(found.originals):,} pictures in {clock.rate(len(found.originals))}{where}")
    if fix is not None:
        _fix(dataset, found, fix, overwrite=overwrite, quiet=quiet)
    return SOME_FAILED if found.leaks else 0


def _fix(dataset: Dataset, found: Audit, fix: Path, *, overwrite: bool, quiet: bool) -> None:
    """Write the cleaned copy and the list of what is not in it."""
    from inkfold.audit.clean import plan_cleaning, write_cleaned
    from inkfold.audit.report import write_dropped
    from inkfold.output import new_file

    cleaning = plan_cleaning(found.originals, found.faults, found.repeats)
    stays = len(found.originals) - sum(cleaning.dropped.values())
    with (
        new_file(_list_of(fix), overwrite=overwrite) as part,
        progress("writing", stays, quiet=quiet) as advance,
    ):
        write_dropped(part, found, dataset, cleaning)
        write_cleaned(dataset, found.originals, cleaning, fix, overwrite=overwrite, advance=advance)
    dropped = ", ".join(f"{count:,} {name}" for name, count in cleaning.dropped.items())
    click.echo(
        f"{click.format_filename(fix)}: {stays:,} pictures; dropped {dropped}, "
        f"each in {click.format_filename(_list_of(fix))}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold audit``."""
    return run(command, argv)

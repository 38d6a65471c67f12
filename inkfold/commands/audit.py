"""``audit``: a dataset -> what is wrong with it, and a cleaned copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import SOME_FAILED, Clock, echo, progress, run
from inkfold.commands.options import output_option, overwrite_option, quiet_option, seed_option
from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.folder_kinds import AUDIT
from inkfold.output import check_free, new_folder

if TYPE_CHECKING:
    from inkfold.audit.audit import Audit
    from inkfold.dataset.reader import Dataset
    from inkfold.workers import Progress


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
    if output is not None:
        need("the sheets of -o", "matplotlib")
    if not quick:
        from inkfold.audit.suspects import check_cleanlab

        check_cleanlab()
    from inkfold.dataset.reader import open_dataset

    _check(dataset, output, fix, overwrite=overwrite)
    with open_dataset(dataset) as opened:
        if not sum(map(len, (opened.train, opened.validation, opened.test))):
            raise InkfoldError(f"{dataset} holds no picture; pack a folder that has some")
        return _audit(opened, output, fix, quick, seed, overwrite=overwrite, quiet=quiet)


def _check(dataset: Path, output: Path | None, fix: Path | None, *, overwrite: bool) -> None:
    """Refuse outputs that cannot be written."""
    if output is not None:
        check_free(output, overwrite=overwrite, kind=AUDIT, inputs=[dataset])
    if fix is not None:
        check_free(fix, overwrite=overwrite)
        check_free(_dropped_list(fix), overwrite=overwrite, inputs=[dataset])


def _dropped_list(fix: Path) -> Path:
    """The file that lists the pictures which the cleaned copy lacks."""
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
    """Audit, print the summary, write the lists and the cleaned copy; returns the exit code."""
    from inkfold.audit.audit import audit
    from inkfold.audit.clean import check_cleanable
    from inkfold.audit.report import summary

    if fix is not None:
        check_cleanable(dataset, fix, overwrite=overwrite)
    clock, bars = Clock(), partial(progress, quiet=quiet)
    result = audit(dataset, seed=seed, progress=bars)
    with _kept_when_stopped(result, dataset, output, overwrite=overwrite):
        _echo_names(summary(result))
        if not quick:
            result = _judged(result, dataset, seed, bars)
    lists = "" if output is None else _write_lists(result, dataset, output, overwrite=overwrite)
    echo(f"{len(result.originals):,} pictures in {clock.rate(len(result.originals))}{lists}")
    if fix is not None:
        _fix(dataset, result, fix, overwrite=overwrite, quiet=quiet)
    return SOME_FAILED if result.leaks else 0


def _echo_names(text: str) -> None:
    """Print lines that hold names of classes, which may not be text."""
    echo(text.encode("utf-8", "backslashreplace"), nl=False)


def _judged(result: Audit, dataset: Dataset, seed: int, bars: Progress) -> Audit:
    """Let the network judge the labels, and print what came of it."""
    from inkfold.audit.audit import with_suspects
    from inkfold.audit.report import suspects_summary

    judged = with_suspects(result, dataset, seed=seed, progress=bars)
    _echo_names(suspects_summary(judged))
    return judged


@contextmanager
def _kept_when_stopped(
    result: Audit, dataset: Dataset, output: Path | None, *, overwrite: bool
) -> Iterator[None]:
    """Write what has been found if the block is stopped, by Ctrl-C say."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if output is not None:
            lists = _write_lists(result, dataset, output, overwrite=overwrite)
            echo(f"stopped before all was done{lists}", err=True)
        raise


def _write_lists(result: Audit, dataset: Dataset, output: Path, *, overwrite: bool) -> str:
    """Write the lists and sheets; words that say where they are."""
    from inkfold.audit.report import write_audit

    with new_folder(output, AUDIT, overwrite=overwrite) as folder:
        write_audit(folder, result, dataset)
    return f", the lists are in {click.format_filename(output)}"


def _fix(dataset: Dataset, result: Audit, fix: Path, *, overwrite: bool, quiet: bool) -> None:
    """Write the cleaned copy, and the list of the pictures that it lacks."""
    from inkfold.audit.clean import plan_cleaning, write_cleaned
    from inkfold.audit.report import write_dropped
    from inkfold.output import new_file

    originals = result.originals
    cleaning = plan_cleaning(originals, result.faults, result.repeats)
    remaining = len(originals) - sum(cleaning.dropped.values())

    @contextmanager
    def listed() -> Iterator[None]:
        """Write the list, which gets its name at the end of the block."""
        with new_file(_dropped_list(fix), overwrite=overwrite) as part:
            write_dropped(part, result, dataset, cleaning)
            yield

    with progress("writing", remaining, quiet=quiet) as advance:
        write_cleaned(
            dataset,
            originals,
            cleaning,
            fix,
            overwrite=overwrite,
            companion=listed(),
            advance=advance,
        )
    dropped = ", ".join(f"{count:,} {name}" for name, count in cleaning.dropped.items())
    echo(
        f"{click.format_filename(fix)}: {remaining:,} pictures; dropped {dropped}, "
        f"each in {click.format_filename(_dropped_list(fix))}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``inkfold audit``; returns its exit code."""
    return run(command, argv)

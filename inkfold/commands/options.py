"""Options that packing a folder and importing a set share."""

from __future__ import annotations

from collections.abc import Callable

import click

from inkfold.commands.cli import Command

Fractions = tuple[float, float, float]
size_option = click.option(
    "--size",
    type=click.IntRange(4, 1024),
    default=32,
    show_default=True,
    help="Height and width of the packed pictures, in pixels.",
)
fit_option = click.option(
    "--fit",
    type=click.Choice(("stretch", "pad", "ink")),
    default="pad",
    show_default=True,
    help="stretch: to the frame; pad: keep the aspect; ink: crop, centre of mass in the middle.",
)
threshold_option = click.option(
    "--threshold",
    type=click.Choice(("none", "otsu", "soft")),
    default="none",
    show_default=True,
    help="Before fitting. otsu: make the pictures black and white; soft: clear uneven paper "
    "and make pale ink full.",
)
per_class_option = click.option(
    "--per-class", type=click.IntRange(1), help="Keep at most so many of each class."
)
min_per_class_option = click.option(
    "--min-per-class",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Leave out classes with fewer pictures.",
)


def split_option(default: str | None, help: str) -> Callable[[Command], Command]:  # noqa: A002, click's own word
    """``--split``: three fractions that add up to 1."""
    return click.option(
        "--split",
        default=default,
        show_default=default is not None,
        callback=_fractions,
        help=help,
    )


def _fractions(_context: object, _option: object, text: str | None) -> Fractions | None:
    """Three fractions from one string; None where nothing was given."""
    if text is None:
        return None
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not three numbers, like 0.8,0.1,0.1") from None
    total = train + validation + test
    if min(train, validation, test) < 0 or not abs(total - 1) < 1e-6:
        raise click.BadParameter(
            f"{text!r} adds up to {total:g}; give three fractions from 0 to 1 that add up to 1"
        )
    return train / total, validation / total, test / total

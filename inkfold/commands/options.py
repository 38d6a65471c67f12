"""The options that several command lines share, as decorators.

First those of any command, then those of packing pictures, then the amounts of a distortion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from inkfold.recipe import Distortion
from inkfold.spec import WORDS

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]
Fractions = tuple[float, float, float]
FIT_HELP = "stretch: to the frame; pad: keep the aspect; ink: crop, centre of mass in the middle."
THRESHOLD_HELP = (
    "Before fitting. otsu: make the pictures black and white; soft: clear uneven paper and make "
    "pale ink full."
)
DISTORTION_HELP = {
    "sigma": "Smoothness of the displacement, in pixels.",
    "alpha": "Strength: rms displacement is alpha / (6.14 sigma) pixels along each axis.",
    "rotate": "Rotate by up to so many degrees either way.",
    "scale": "0.1: stretch height and width by 0.9 to 1.1.",
    "shear": "Slant by up to so many degrees either way.",
    "shift": "Shift by up to this share of the side.",
}


def all_of(options: Sequence[Decorator]) -> Decorator:
    """One decorator that adds all of `options`, in the order in which the help lists them."""

    def decorate(callback: Any) -> Any:  # noqa: ANN401, click's decorators take and give any
        return reduce(lambda inner, option: option(inner), reversed(options), callback)

    return decorate


def output_option(default: str | None, help: str) -> Callable[[Command], Command]:  # noqa: A002, click's own word
    """``-o``, ``--output``: the file or folder to write."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        default=default,
        show_default=default is not None,
        help=help,
    )


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Same seed, same result.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Processes to use; the output is the same for any number.  [default: all processors]",
)


class _ShardRows(click.ParamType[int]):
    """Rows of a shard: whole chunks of 256."""

    name = "ROWS"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            rows = int(str(value))
        except ValueError:
            rows = 0
        if rows < 256 or rows % 256:
            near = max(1, round(rows / 256)) * 256
            self.fail(f"{value!r} is no multiple of 256, such as {near}", param, ctx)
        return rows


shards_option = click.option(
    "--shards",
    metavar="ROWS",
    type=_ShardRows(),
    help="Write the pictures as files of ROWS each, which workers write themselves, beside an "
    "index: a multiple of 256; 1048576 past 100 million pictures.  [default: one file]",
)
only_option = click.option(
    "--only",
    metavar="CLASSES",
    help="Answer these classes alone: names and ranges, as 0-9,A,B; @FILE has a name a line.",
)


class _Reject(click.ParamType[float | None]):
    """A probability, or ``auto``, which is None."""

    name = "auto|P"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value is None or value == "auto":
            return None
        try:
            share = float(str(value))
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is neither auto nor a number from 0 to 1", param, ctx)
        return share


def reject_option(help: str) -> Callable[[Command], Command]:  # noqa: A002, click's own word
    """``--reject``: None for ``auto``, or the probability below which a label is withheld."""
    return click.option(
        "--reject", metavar="auto|P", type=_Reject(), default="auto", show_default=True, help=help
    )


strict_option = click.option(
    "--strict",
    is_flag=True,
    help="With a number for --reject as well: withhold the labels of pictures that do not look "
    "like one character.",
)
size_option = click.option(
    "--size",
    type=click.IntRange(4, 1024),
    default=32,
    show_default=True,
    help="Height and width of the packed pictures, in pixels.",
)
fit_option = click.option(
    "--fit",
    type=click.Choice(WORDS["fit"]),
    default="pad",
    show_default=True,
    help=FIT_HELP,
)
threshold_option = click.option(
    "--threshold",
    type=click.Choice(WORDS["threshold"]),
    default="none",
    show_default=True,
    help=THRESHOLD_HELP,
)
automatic_fit_option = click.option(
    "--fit",
    type=click.Choice(WORDS["fit"]),
    default=None,
    help=f"{FIT_HELP} "
    "Photographs are always fitted by ink.  [default: ink where most of a sample of the pictures "
    "are photographs, otherwise pad]",
)
automatic_threshold_option = click.option(
    "--threshold",
    type=click.Choice(WORDS["threshold"]),
    default=None,
    help=f"{THRESHOLD_HELP} Photographs are always prepared by soft.  [default: soft where most "
    "of a sample of the pictures are photographs, otherwise none]",
)
capture_option = click.option(
    "--capture",
    type=click.Choice(("auto", "scan", "photo")),
    default="auto",
    show_default=True,
    help="What the pictures are. scan: clean; photo: find the sheet and what is written on it; "
    "auto finds out, picture by picture.",
)


def public_capture_option(default: str) -> Callable[[Command], Command]:
    """``--capture`` where a public set is read, whose pictures are scans."""
    return click.option(
        "--capture",
        type=click.Choice(("auto", "scan", "photo")),
        default=default,
        show_default=True,
        help="photo: the set's pictures are photographs; otherwise they are scans. auto: a network "
        "that is trained on them finds out, of each picture that it is asked about, what it is.",
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
    """The three fractions in the text of an option; None if the option was not given."""
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


def distortion_options(default: Distortion, condition: str = "") -> list[Decorator]:
    """One option for each amount of a distortion; `condition` precedes the help of each."""
    return [
        click.option(
            f"--{name}",
            default=amount,
            show_default=True,
            help=f"{condition}{DISTORTION_HELP[name]}",
            type=float,
        )
        for name, amount in asdict(default).items()
    ]

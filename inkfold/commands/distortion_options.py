"""The options that say how pictures are distorted: augment's, and those of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any

import click

from inkfold.recipe import Distortion

HELP = {
    "sigma": "Smoothness of the displacement, in pixels.",
    "alpha": "Strength: rms displacement is alpha / (6.14 sigma) pixels along each axis.",
    "rotate": "Rotate by up to so many degrees either way.",
    "scale": "0.1: stretch height and width by 0.9 to 1.1.",
    "shear": "Slant by up to so many degrees either way.",
    "shift": "Shift by up to this share of the side.",
}
Decorator = Callable[[Any], Any]


def distortion_options(default: Distortion, where: str = "") -> list[Decorator]:
    """One option for each amount; `where` is said before what each of them does."""
    return [
        click.option(
            f"--{name}", default=value, show_default=True, help=f"{where}{HELP[name]}", type=float
        )
        for name, value in asdict(default).items()
    ]


def all_of(options: Sequence[Decorator]) -> Decorator:
    """One decorator of several options, in the order of the help text."""

    def decorate(callback: Any) -> Any:  # noqa: ANN401, click's decorators take and give any
        return reduce(lambda inner, option: option(inner), reversed(options), callback)

    return decorate

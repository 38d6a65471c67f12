"""A cloud of points coloured by class, with names where there is room, as SVG's numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 400  # of the drawing, in its own units
EDGE = 16  # kept free all around
FONT = 13  # height of a name
LETTERS = 12  # of a name; the rest is cut
TAGS = 50  # names in a drawing: more of them would hide the dots
GOLDEN = 137.508  # degrees: neighbours in label order get hues far apart


@dataclass(frozen=True)
class Dots:
    """All points of a class: one path of lines without length, which round caps make dots."""

    label: int
    path: str
    hue: int


@dataclass(frozen=True)
class Tag:
    """A class's name at its middle point."""

    label: int
    text: str
    x: int
    y: int


@dataclass(frozen=True)
class Scatter:
    """Dots of each class that has some, and the names that fit without covering each other."""

    dots: tuple[Dots, ...]
    tags: tuple[Tag, ...]


def scatter(
    points: NDArray[np.float64], labels: NDArray[np.int32], names: Sequence[str]
) -> Scatter:
    """Scale points to the drawing and name the classes.

    Parameters
    ----------
    points : float64 (n, 2)
        To the right and up.
    labels : int32 (n,)
    names : sequence of str
        In label order.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    share = (points - low) / np.maximum(high - low, 1e-12)
    share[:, 1] = 1 - share[:, 1]
    places = np.rint(EDGE + share * (SIDE - 2 * EDGE)).astype(np.int64)
    found = [int(label) for label in np.unique(labels)]
    groups = {label: places[labels == label] for label in found}
    dots = tuple(Dots(label, _path(groups[label]), _hue(label, len(names))) for label in found)
    return Scatter(dots, tuple(_tags(groups, names)))


def _hue(label: int, classes: int) -> int:
    """Degrees: few classes go round the circle once."""
    return round(label * 360 / classes) if classes <= 12 else round(label * GOLDEN) % 360


def _path(places: NDArray[np.int64]) -> str:
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())


def _tags(groups: dict[int, NDArray[np.int64]], names: Sequence[str]) -> list[Tag]:
    """Largest classes first; a name that would cover another is left out."""
    taken: list[tuple[float, float, float, float]] = []
    tags: list[Tag] = []
    for label, places in sorted(groups.items(), key=lambda item: -len(item[1])):
        text = _cut(names[label])
        x, y = middle(places)
        half = max(FONT, _width(text)) / 2
        x = round(min(max(x, half), SIDE - half))
        box = (x - half, x + half, y - FONT * 0.7, y + FONT * 0.7)
        if len(tags) < TAGS and text.strip() and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            tags.append(Tag(label, text, x, y))
    return tags


def middle(places: NDArray[np.int64]) -> tuple[int, int]:
    """The point that is nearest to all others: it stands where the class is, even in two parts."""
    some = places[:500]
    apart = np.sqrt(((some[:, None] - some[None]) ** 2).sum(axis=2)).sum(axis=1)
    x, y = some[apart.argmin()].tolist()
    return x, y


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


def _width(text: str) -> float:
    """About how wide a name is drawn."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return FONT * (0.4 + wide + 0.72 * (len(text) - wide))


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]

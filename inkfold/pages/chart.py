"""Small charts as geometry: a page's template draws them as SVG, in the page's own colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from math import ceil, floor, log10
from typing import TypeVar

WIDTH, HEIGHT = 420, 280  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 46  # margins, for the labels
ACROSS, UP = (LEFT, WIDTH - RIGHT), (HEIGHT - BOTTOM, TOP)  # from where to where an axis runs
Point = tuple[float, float]
Thinned = TypeVar("Thinned")


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in the drawing's units."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """From values to places on an axis, as in ``Scale(0, 100, *ACROSS)``.

    Attributes
    ----------
    low, high : float
        The values at the two ends.
    start, end : float
        The places of `low` and `high`, in the drawing's units.
    logarithmic : bool
        Whether equal distances are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    _: KW_ONLY
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; a value outside the scale is put on the nearer end."""
        low, high, value = (self._bent(v) for v in (self.low, self.high, value))
        share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 2)

    def _bent(self, value: float) -> float:
        return log10(max(value, 1e-9)) if self.logarithmic else value

    def ticks(self, unit: float = 1.0) -> list[Tick]:
        """Round values on the scale, labelled as multiples of `unit`."""
        if self.logarithmic:
            values = logarithmic_values(self.low, self.high)
        else:
            values = [value * unit for value in round_values(self.low / unit, self.high / unit)]
        return [Tick(self(value), plain(value / unit)) for value in values]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart, or a row of dots.

    Attributes
    ----------
    name : str
        What the key calls it; empty where the key leaves it out.
    colour : str
        The name of its colour in the page's style, such as "mark".
    points : str
        Places as SVG takes them: ``"x,y x,y"``, in the drawing's units.
    dots : bool
        Whether the points are drawn as dots, without a line between them.
    """

    name: str
    colour: str
    points: str
    dots: bool = False


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A rectangle of a chart.

    Attributes
    ----------
    left, top, width, height : float
        In the drawing's units; rows count downwards.
    title : str
        Shown where the pointer rests on it.
    """

    left: float
    top: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Everything that a template needs to draw one chart.

    Attributes
    ----------
    across, up : str
        What the two axes show.
    across_ticks, up_ticks : list of Tick
    lines : list of Line
    bars : tuple of Bar
        Drawn under the lines.
    """

    across: str
    up: str
    across_ticks: list[Tick]
    up_ticks: list[Tick]
    lines: list[Line]
    bars: tuple[Bar, ...] = ()

    width, height = WIDTH, HEIGHT
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM


def line(
    name: str, colour: str, points: Iterable[Point], x: Scale, y: Scale, *, dots: bool = False
) -> Line:
    """A line through points that are given as values."""
    places = " ".join(f"{x(across):g},{y(up):g}" for across, up in points)
    return Line(name=name, colour=colour, points=places, dots=dots)


def bar(x: Scale, y: Scale, *, across: Point, up: Point, title: str) -> Bar:
    """A rectangle between two values on each axis."""
    left, right = x(across[0]), x(across[1])
    bottom, top = y(up[0]), y(up[1])
    width, height = round(right - left, 2), round(bottom - top, 2)
    return Bar(left=left, top=top, width=width, height=height, title=title)


def round_values(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten, from `low` to `high`."""
    if not high > low:
        return [low]
    power = floor(log10((high - low) / most))
    steps = (mantissa * 10.0**exponent for exponent in (power, power + 1) for mantissa in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step <= most - 1)
    numbers = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    return [round(number * step, 12) for number in numbers]


def plain(value: float) -> str:
    """A number as people write it: no powers of ten, commas between thousands.

    >>> plain(12345.5), plain(0.00001)
    ('12,345.5', '0.00001')
    """
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def logarithmic_values(low: float, high: float) -> list[float]:
    """Round values on a logarithmic axis: by powers of ten, on a short one by equal steps."""
    values = _decades(low, high)
    return values if len(values) > 2 else round_values(low, high)


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from `low` to `high`; over a wide range the powers alone."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    mantissas: Sequence[int] = (1, 2, 5) if high / low < 200 else (1,)
    values = [mantissa * 10.0**power for power in powers for mantissa in mantissas]
    return [value for value in values if low * 0.999 <= value <= high * 1.001]


def thinned(points: Sequence[Thinned], most: int = 300) -> list[Thinned]:
    """At most `most` points of a long line, evenly spaced, the ends among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]

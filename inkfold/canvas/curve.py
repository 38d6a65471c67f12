"""The curve of a pen: smooth through its points, and sampled only where a sheet can show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

STEP = 1.0  # pixels along a curve between two places where the width of the stroke may change
LONGEST = 512  # steps of a span that is kept or left out as a whole
Points = NDArray[np.float64]
Numbers = NDArray[np.int64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Parts of a curve, in its order.

    Attributes
    ----------
    piece : int64 array of shape (k,)
        The number of the piece of the curve that each span belongs to.
    first, last : int64 arrays of shape (k,)
        The steps of the piece where each span begins and ends.
    """

    piece: Numbers
    first: Numbers
    last: Numbers

    def __len__(self) -> int:
        """All steps together."""
        return int((self.last - self.first).sum())

    def __getitem__(self, chosen: Chosen | Numbers) -> Self:
        return type(self)(
            piece=self.piece[chosen], first=self.first[chosen], last=self.last[chosen]
        )


def joined(parts: list[Spans]) -> Spans:
    """The spans of all `parts`, in the order of the curve."""
    piece = np.concatenate([part.piece for part in parts])
    first = np.concatenate([part.first for part in parts])
    last = np.concatenate([part.last for part in parts])
    return Spans(piece=piece, first=first, last=last)[np.lexsort((first, piece))]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Quadratic Bezier curves, each of which begins where the one before it ends.

    Attributes
    ----------
    start, control, end : float64 arrays of shape (m, 3)
        Row, column and pressure of the three points of each piece.
    steps : int64 array of shape (m,)
        How many steps of at most `STEP` pixels the piece is sampled in; at least 1.
    """

    start: Points
    control: Points
    end: Points
    steps: Numbers

    @classmethod
    def near(cls, points: Points) -> Self:
        """The smooth curve that `smoothed` samples."""
        if len(points) < 3:
            start, end = points[:1], points[-1:]
            control = (start + end) / 2
        else:
            middles = (points[:-1] + points[1:]) / 2
            start, end = np.vstack([points[:1], middles]), np.vstack([middles, points[-1:]])
            control = np.vstack([points[:1], points[1:-1], points[-1:]])
            control[[0, -1]] = (start[[0, -1]] + end[[0, -1]]) / 2  # both ends are straight
        length = np.linalg.norm((control - start)[:, :2], axis=1)
        length += np.linalg.norm((end - control)[:, :2], axis=1)
        steps = np.maximum(1, np.ceil(length / STEP)).astype(np.int64)
        return cls(start=start, control=control, end=end, steps=steps)

    def whole(self) -> Spans:
        """A span for each piece."""
        none = np.zeros_like(self.steps)
        return Spans(piece=np.arange(len(self.steps)), first=none, last=self.steps)

    def within(self, size: tuple[int, int], reach: float) -> Spans:
        """The spans that come closer than `reach` pixels to a sheet, and little else.

        A span is left out where its control points lie beyond one edge, for it stays between them;
        otherwise it is halved, until it has `LONGEST` steps.

        Parameters
        ----------
        size : (rows, columns)
            The sheet's, in pixels.
        reach : float
            In pixels.
        """
        spans, kept = self.whole(), []
        while len(spans.piece):
            low, high = self._bounds(spans)
            near = (high >= -reach) & (low <= np.array(size) + reach)
            spans = spans[np.asarray(near[:, 0] & near[:, 1])]
            short = np.asarray(spans.last - spans.first <= LONGEST)
            kept.append(spans[short])
            spans = _halves(spans[~short])
        return joined(kept)

    def _bounds(self, spans: Spans) -> tuple[Points, Points]:
        """The least and the greatest row and column among the control points of each span."""
        begin, end = ((at / self.steps[spans.piece])[:, None] for at in (spans.first, spans.last))
        piece = spans.piece

        def corner(at: Points, other: Points) -> Points:
            """A control point of the part between two places: de Casteljau with both of them."""
            before = (1 - at) * self.start[piece, :2] + at * self.control[piece, :2]
            after = (1 - at) * self.control[piece, :2] + at * self.end[piece, :2]
            return np.asarray((1 - other) * before + other * after)

        corners = np.stack([corner(begin, begin), corner(begin, end), corner(end, end)])
        return corners.min(axis=0), corners.max(axis=0)

    def sampled(self, spans: Spans) -> list[Points]:
        """The places of some spans, a curve of shape (n, 3) for spans that hang together."""
        if not len(spans.piece):
            return []
        before, after = (
            spans[np.arange(len(spans.piece) - 1)],
            spans[np.arange(1, len(spans.piece))],
        )
        inside = (after.piece == before.piece) & (after.first == before.last)
        across = (after.piece == before.piece + 1) & (after.first == 0)
        across &= before.last == self.steps[before.piece]
        first = spans.first.copy()
        first[1:][inside] += 1  # the span before ends with this place
        counts = spans.last - first + 1
        ends = np.cumsum(counts)
        step = np.arange(ends[-1]) + np.repeat(first - ends + counts, counts)
        places = self._places(np.repeat(spans.piece, counts), step)
        return np.split(places, ends[:-1][~(inside | across)])

    def _places(self, piece: Numbers, step: Numbers) -> Points:
        at = step * (1 / self.steps[piece])
        at[step == self.steps[piece]] = 1
        at = at[:, None]
        places = (1 - at) ** 2 * self.start[piece]
        places += 2 * at * (1 - at) * self.control[piece]
        places += at**2 * self.end[piece]
        return np.asarray(places)


def _halves(spans: Spans) -> Spans:
    middle = (spans.first + spans.last) // 2
    return joined(
        [
            Spans(piece=spans.piece, first=spans.first, last=middle),
            Spans(piece=spans.piece, first=middle, last=spans.last),
        ]
    )


def smoothed(points: Points) -> Points:
    """A smooth curve near `points`, sampled every `STEP` pixels or closer.

    The curve passes through the middles between neighbouring points. Between two middles it is a
    quadratic Bezier curve whose control point is the point between them, so that it has no corner
    where a fast pen left few points, and does not follow their jitter.

    Parameters
    ----------
    points : float64 array of shape (n, 3)
        Row, column and pressure of each point.

    Returns
    -------
    curve : float64 array of shape (m, 3)
        Row, column and pressure, from the first of `points` to the last.
    """
    curve = Curve.near(points)
    (places,) = curve.sampled(curve.whole())
    return places

"""How a classifier does on each writer, page or sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from inkfold.metrics import Rate


@dataclass(frozen=True)
class GroupScore:
    """What was right of one group's pictures."""

    name: str
    right: Rate


@dataclass(frozen=True)
class Spread:
    """How far the groups lie apart, each counting the same; shares from 0 to 1.

    `by_chance` is the deviation that would be expected if every group were equally easy and only
    the luck of so few pictures set them apart.
    """

    groups: int
    mean: float
    lowest: float
    highest: float
    deviation: float
    by_chance: float


def group_scores(groups: Sequence[str], right: NDArray[np.bool_]) -> tuple[GroupScore, ...]:
    """Count what was right, group by group.

    Parameters
    ----------
    groups : sequence of str, length N
        "" where it is not known; those pictures are left out.
    right : bool array of shape (N,)

    Returns
    -------
    scores : tuple of GroupScore
        The lowest share first; of equal ones the one with more pictures, then by name.
    """
    counts: dict[str, list[int]] = {}
    for name, hit in zip(groups, right.tolist(), strict=True):
        correct_total = counts.setdefault(name, [0, 0])
        correct_total[0] += hit
        correct_total[1] += 1
    scores = [GroupScore(name, Rate(*counts[name])) for name in sorted(counts) if name]
    return tuple(sorted(scores, key=lambda one: (one.right.share, -one.right.total)))


def spread(scores: Sequence[GroupScore]) -> Spread | None:
    """Mean, ends and standard deviation over groups; None of fewer than two groups."""
    if len(scores) < 2:
        return None
    shares = np.array([one.right.correct / one.right.total for one in scores])
    totals = np.array([one.right.total for one in scores])
    pooled = (shares * totals).sum() / totals.sum()
    return Spread(
        groups=len(scores),
        mean=float(shares.mean()),
        lowest=float(shares.min()),
        highest=float(shares.max()),
        deviation=float(shares.std(ddof=1)),
        by_chance=sqrt(max(pooled * (1 - pooled), 0.0) * float((1 / totals).mean())),
    )

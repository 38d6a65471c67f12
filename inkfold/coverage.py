"""How many answers would be wrong, if the unsure ones were withheld."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from inkfold.metrics import Rate

WANTED = (0.05, 0.02, 0.01, 0.005)  # the shares of wrong answers for which thresholds are told


@dataclass(frozen=True)
class Kept:
    """What is left of `total` answers when the unsure ones are withheld."""

    wrong: int
    answered: int
    total: int

    @property
    def error(self) -> Rate:
        """Wrong ones of those answered (the risk); undefined if none is."""
        return Rate(self.wrong, self.answered)

    @property
    def coverage(self) -> Rate:
        """Answered of all."""
        return Rate(self.answered, self.total)


@dataclass(frozen=True)
class RiskCurve:
    """Risk against coverage: what every possible threshold keeps.

    Attributes
    ----------
    threshold : float64 array of shape (K,)
        Every probability that occurs, the largest first.
    answered, wrong : int64 arrays of shape (K,)
        Answers with at least this probability, and the wrong ones among them.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @property
    def total(self) -> int:
        """All answers."""
        return int(self.answered[-1]) if len(self.answered) else 0

    @property
    def area(self) -> float | None:
        """Mean risk over the answers, taken from the surest on; None if there are none."""
        if not self.total:
            return None
        steps = np.diff(self.answered, prepend=0)
        return float((self.wrong / self.answered * steps).sum() / self.total)


@dataclass(frozen=True)
class Threshold:
    """The value for ``--reject`` that keeps wrong answers to `wanted`, a share from 0 to 1.

    `reject` is None if even the surest answers are wrong too often; `chosen` is what it keeps of
    the pictures that it was chosen on.
    """

    wanted: float
    reject: float | None
    chosen: Kept


def risk_curve(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> RiskCurve:
    """Count what each threshold would keep.

    Parameters
    ----------
    confidence : float array of shape (N,)
    right : bool array of shape (N,)

    Returns
    -------
    curve : RiskCurve
        One point for each probability that occurs: equal ones are kept or withheld together.
    """
    order = np.argsort(-confidence, kind="stable")
    sure = confidence[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(sure)), len(sure) - 1) if len(sure) else order
    wrong = np.cumsum(~right[order], dtype=np.int64)
    return RiskCurve(sure[last], last.astype(np.int64) + 1, wrong[last])


def keep(confidence: NDArray[np.floating], right: NDArray[np.bool_], reject: float) -> Kept:
    """What ``--reject`` keeps: answers with at least this probability."""
    kept = confidence.astype(np.float64) >= reject
    return Kept(int((kept & ~right).sum()), int(kept.sum()), len(right))


def choose_threshold(curve: RiskCurve, wanted: float) -> Threshold:
    """The threshold that answers most, of those whose share of wrong answers is at most `wanted`.

    Parameters
    ----------
    curve : RiskCurve
    wanted : float
        From 0 to 1.

    Returns
    -------
    threshold : Threshold
        With the shortest decimal number that keeps the same answers; 0 if all are kept.
    """
    fits = np.flatnonzero(curve.wrong / curve.answered <= wanted)
    if not len(fits):
        return Threshold(wanted, None, Kept(0, 0, curve.total))
    at = int(fits[-1])
    kept = Kept(int(curve.wrong[at]), int(curve.answered[at]), curve.total)
    if kept.answered == kept.total:
        return Threshold(wanted, 0.0, kept)
    return Threshold(wanted, shortest(*curve.threshold[[at + 1, at]].tolist()), kept)


def shortest(above: float, up_to: float) -> float:
    """The number with the fewest decimals in the interval (above, up_to] of positive numbers.

    >>> shortest(0.812, 0.83471)
    0.83
    """
    for digits in range(17):
        number = floor(up_to * 10**digits) / 10**digits
        if above < number <= up_to:
            return float(number)
    return up_to

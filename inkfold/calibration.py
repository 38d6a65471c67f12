"""Whether probabilities mean what they say, and the one number that mends them.

After C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks",
ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from inkfold.metrics import Rate

BINS = 15
TINY = np.finfo(np.float32).tiny  # a probability that underflowed is taken as this
SHARPEST, FLATTEST = 0.05, 20.0  # the temperatures that are looked at
PRECISION = 1e-4  # of the temperature, relative
WANTED = (0.05, 0.02, 0.01, 0.005)  # the shares of wrong answers for which thresholds are told


@dataclass(frozen=True)
class Bin:
    """The answers with a probability above `low` and up to `high`.

    `right` counts the right ones among them; `confidence` is their mean probability, None if there
    are none.
    """

    low: float
    high: float
    right: Rate
    confidence: float | None


def reliability(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = BINS
) -> tuple[Bin, ...]:
    """Sort answers by their probability and count how many were right.

    Parameters
    ----------
    confidence : float array of shape (N,)
        What each answer was given, from 0 to 1.
    right : bool array of shape (N,)
    bins : int
        Number of bins of equal width from 0 to 1.

    Returns
    -------
    bins : tuple of Bin
        Also the empty ones, the lowest first. A probability of 0 counts to the first.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    at = np.searchsorted(edges[1:-1], confidence)
    total = np.bincount(at, minlength=bins).tolist()
    correct = np.bincount(at[right], minlength=bins).tolist()
    summed = np.bincount(at, weights=confidence, minlength=bins).tolist()
    return tuple(
        Bin(low, high, Rate(correct[i], total[i]), summed[i] / total[i] if total[i] else None)
        for i, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    )


def calibration_error(bins: tuple[Bin, ...]) -> float | None:
    """Expected calibration error: mean distance of probability and share right, over answers.

    0 is best, 1 worst; None if there are no answers.
    """
    total = sum(one.right.total for one in bins)
    gaps = (
        one.right.total * abs(one.right.share - one.confidence)
        for one in bins
        if one.right.share is not None and one.confidence is not None
    )
    return sum(gaps) / total if total else None


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """What the softmax would have given, had the logits been divided by `temperature`.

    That is ``p ** (1 / temperature)``, made to sum to 1 again. Above 1 probabilities come closer to
    each other, below 1 they part. The likeliest class stays the likeliest, to the last bit.

    Parameters
    ----------
    probabilities : float32 array of shape (N, C)
        Rows of a softmax.
    temperature : float
        Above 0.

    Returns
    -------
    probabilities : float32 array of shape (N, C)
    """
    logs = np.log(np.maximum(probabilities, TINY))
    logs -= logs.max(axis=1, keepdims=True)
    logs /= np.float32(temperature)
    powers = np.exp(logs)
    result: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    # rounding may make equal what was not: then the one that was less likely gives way
    best = probabilities == probabilities.max(axis=1, keepdims=True)
    most = result.max(axis=1, keepdims=True)
    np.copyto(result, np.nextafter(most, np.float32(0)), where=(result == most) & ~best)
    return result


def fit_temperature(
    probabilities: NDArray[np.float32], labels: NDArray[np.integer]
) -> float | None:
    """The temperature under which the labels are likeliest.

    Parameters
    ----------
    probabilities : float32 array of shape (N, C)
        Rows of a softmax, of pictures that were not trained on.
    labels : int array of shape (N,)

    Returns
    -------
    temperature : float or None
        Minimises the mean negative log-likelihood of ``tempered(probabilities, temperature)``.
        None where there is no such number from 0.05 to 20: where every answer is right, the
        likelihood grows without end as the temperature falls.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities, TINY)).astype(np.float64)
    logs -= logs.max(axis=1, keepdims=True)
    own = logs[np.arange(len(labels)), labels]
    if not own.any():  # every answer is right, or there is none
        return None
    of_truth = own.mean()

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float(np.log(np.exp(logs * inverse).sum(axis=1)).mean() - of_truth * inverse)

    ends = (np.log(SHARPEST), np.log(FLATTEST))
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": PRECISION})
    at = float(found.x)
    inside = ends[0] + 10 * PRECISION < at < ends[1] - 10 * PRECISION
    return float(np.exp(at)) if inside else None


@dataclass(frozen=True)
class Withheld:
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
class RejectThreshold:
    """The value for ``--reject`` that keeps wrong answers to `wanted`, a share from 0 to 1.

    `reject` is None if even the surest answers are wrong too often; `chosen` is what it keeps of
    the pictures that it was chosen on.
    """

    wanted: float
    reject: float | None
    chosen: Withheld


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


def keep(confidence: NDArray[np.floating], right: NDArray[np.bool_], reject: float) -> Withheld:
    """What ``--reject`` keeps: answers with at least this probability."""
    kept = confidence.astype(np.float64) >= reject
    return Withheld(int((kept & ~right).sum()), int(kept.sum()), len(right))


def choose_threshold(curve: RiskCurve, wanted: float) -> RejectThreshold:
    """The threshold that answers most, of those whose share of wrong answers is at most `wanted`.

    Parameters
    ----------
    curve : RiskCurve
    wanted : float
        From 0 to 1.

    Returns
    -------
    threshold : RejectThreshold
        With the shortest decimal number that keeps the same answers; 0 if all are kept.
    """
    fits = np.flatnonzero(curve.wrong / curve.answered <= wanted)
    if not len(fits):
        return RejectThreshold(wanted, None, Withheld(0, 0, curve.total))
    at = int(fits[-1])
    kept = Withheld(int(curve.wrong[at]), int(curve.answered[at]), curve.total)
    if kept.answered == kept.total:
        return RejectThreshold(wanted, 0.0, kept)
    return RejectThreshold(wanted, shortest(*curve.threshold[[at + 1, at]].tolist()), kept)


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

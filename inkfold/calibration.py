"""How far probabilities can be trusted: the temperature that calibrates them, and `--reject`.

A network's probabilities are calibrated if, of the answers with a probability of 0.8, eight in ten
are right. `reliability` shows whether they are, `fit_temperature` finds the one number with which
`tempered` makes them so, after C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of
Modern Neural Networks", ICML 2017. `risk_curve` and `choose_threshold` find the least probability
at which answers are given, so that few of them are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from inkfold.metrics import Rate

BINS = 15
TINY = np.finfo(np.float32).tiny  # stands for a probability that underflowed to 0
SHARPEST, FLATTEST = 0.05, 20.0  # the bounds between which a temperature is searched
PRECISION = 1e-4  # of the temperature, relative
WANTED = (0.05, 0.02, 0.01, 0.005)  # shares of wrong answers for which thresholds are reported


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The answers with a probability above `low` and up to `high`.

    Attributes
    ----------
    low, high : float
        From 0 to 1.
    right : Rate
        The right answers of all answers in the bin.
    confidence : float or None
        Mean probability of the answers in the bin; None if it is empty.
    """

    low: float
    high: float
    right: Rate
    confidence: float | None


@dataclass(frozen=True)
class Withheld:
    """Of `total` answers, `answered` are given and the unsure rest withheld.

    `wrong` counts the wrong ones among those that are given.
    """

    wrong: int
    answered: int
    total: int

    @property
    def error(self) -> Rate:
        """The wrong ones of the answers that are given (the risk); undefined if there are none."""
        return Rate(self.wrong, self.answered)

    @property
    def coverage(self) -> Rate:
        """The answers that are given, of all answers."""
        return Rate(self.answered, self.total)


@dataclass(frozen=True)
class RiskCurve:
    """Risk against coverage: how many answers every possible threshold keeps.

    Attributes
    ----------
    threshold : float64 array of shape (K,)
        Every probability that occurs, the largest first.
    answered, wrong : int64 arrays of shape (K,)
        The number of answers with at least this probability, and of the wrong ones among them.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @property
    def total(self) -> int:
        """The number of all answers."""
        return int(self.answered[-1]) if len(self.answered) else 0

    @property
    def area(self) -> float | None:
        """Mean over the answers of the risk at the threshold of each; None without answers."""
        if not self.total:
            return None
        steps = np.diff(self.answered, prepend=0)
        return float((self.wrong / self.answered * steps).sum() / self.total)


@dataclass(frozen=True)
class RejectThreshold:
    """The value for ``--reject`` that keeps the share of wrong answers to `wanted`, 0 to 1.

    `reject` is None if even the surest answers are wrong too often; `chosen` counts what the
    threshold keeps of the answers that it was chosen on.
    """

    wanted: float
    reject: float | None
    chosen: Withheld


def reliability(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = BINS
) -> tuple[Bin, ...]:
    """Put answers into bins by their probability and count the right ones in each bin.

    Parameters
    ----------
    confidence : float array of shape (N,)
        The probability of each answer, from 0 to 1.
    right : bool array of shape (N,)
        Whether each answer was right.
    bins : int
        Number of bins of equal width from 0 to 1.

    Returns
    -------
    bins : tuple of Bin
        The lowest first, empty ones included. A probability of 0 counts in the first.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence)
    total = np.bincount(place, minlength=bins).tolist()
    correct = np.bincount(place[right], minlength=bins).tolist()
    summed = np.bincount(place, weights=confidence, minlength=bins).tolist()
    return tuple(
        Bin(
            low=low,
            high=high,
            right=Rate(correct[i], total[i]),
            confidence=summed[i] / total[i] if total[i] else None,
        )
        for i, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    )


def calibration_error(bins: tuple[Bin, ...]) -> float | None:
    """Expected calibration error: the distance of mean probability and share right in each bin.

    The distances are averaged over answers. 0 is best, 1 worst; None if there are no answers.
    """
    total = sum(each.right.total for each in bins)
    gaps = (
        each.right.total * abs(each.right.share - each.confidence)
        for each in bins
        if each.right.share is not None and each.confidence is not None
    )
    return sum(gaps) / total if total else None


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """The probabilities that the softmax would give of logits divided by `temperature`.

    They are ``p ** (1 / temperature)``, scaled to the sum 1. A temperature above 1 brings the
    probabilities closer together, one below 1 further apart. The likeliest class stays the
    likeliest, to the last bit.

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
    # rounding may raise a less likely class to the likeliest one's value: then it is lowered a bit
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
        None if there is no minimum from 0.05 to 20: where every answer is right, for example, the
        likelihood grows without end as the temperature falls.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities, TINY)).astype(np.float64)
    logs -= logs.max(axis=1, keepdims=True)
    own = logs[np.arange(len(labels)), labels]
    if not own.any():  # every answer is right, or there are no answers
        return None
    of_truth = own.mean()

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float(np.log(np.exp(logs * inverse).sum(axis=1)).mean() - of_truth * inverse)

    ends = (np.log(SHARPEST), np.log(FLATTEST))
    minimum = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": PRECISION})
    log_temperature = float(minimum.x)
    inside = ends[0] + 10 * PRECISION < log_temperature < ends[1] - 10 * PRECISION
    return float(np.exp(log_temperature)) if inside else None


def risk_curve(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> RiskCurve:
    """Count the answers that each threshold would keep.

    Parameters
    ----------
    confidence : float array of shape (N,)
        The probability of each answer, from 0 to 1.
    right : bool array of shape (N,)
        Whether each answer was right.

    Returns
    -------
    curve : RiskCurve
        One point for each probability that occurs: answers of equal probability are kept or
        withheld together.
    """
    order = np.argsort(-confidence, kind="stable")
    descending, wrong = confidence[order], ~right[order]
    del order  # of many answers these arrays are most of the memory
    # the last place of each run of equal probabilities
    ends = np.ones(len(descending), bool)
    ends[:-1] = descending[1:] != descending[:-1]
    last = np.flatnonzero(ends)
    return RiskCurve(
        descending[last].astype(np.float64), last + 1, np.cumsum(wrong, dtype=np.int64)[last]
    )


def keep(confidence: NDArray[np.floating], right: NDArray[np.bool_], reject: float) -> Withheld:
    """Count what ``--reject`` keeps: the answers with at least the probability `reject`."""
    kept = confidence.astype(np.float64) >= reject
    return Withheld(int((kept & ~right).sum()), int(kept.sum()), len(right))


def choose_threshold(curve: RiskCurve, wanted: float) -> RejectThreshold:
    """The threshold that keeps most answers, of those with at most the share `wanted` wrong.

    Parameters
    ----------
    curve : RiskCurve
    wanted : float
        From 0 to 1.

    Returns
    -------
    threshold : RejectThreshold
        Its `reject` is the shortest decimal number that keeps the same answers, 0 for all of them.
    """
    allowed = np.flatnonzero(curve.wrong / curve.answered <= wanted)
    if not len(allowed):
        return RejectThreshold(wanted, None, Withheld(0, 0, curve.total))
    last = int(allowed[-1])
    kept = Withheld(int(curve.wrong[last]), int(curve.answered[last]), curve.total)
    if kept.answered == kept.total:
        return RejectThreshold(wanted, 0.0, kept)
    return RejectThreshold(wanted, shortest(*curve.threshold[[last + 1, last]].tolist()), kept)


def shortest(above: float, up_to: float) -> float:
    """The number with the fewest decimals that is greater than `above` and at most `up_to`.

    Both bounds are positive.

    >>> from inkfold.calibration import shortest
    >>> shortest(0.812, 0.83471)
    0.83
    """
    for digits in range(17):
        number = floor(up_to * 10**digits) / 10**digits
        if above < number <= up_to:
            return float(number)
    return up_to

"""What a classifier's answers are worth: counts first, divided once at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959964  # the normal quantile that leaves 2.5 % on either side
SMALLEST = 1e-7  # a probability below this is taken as this: no single answer has an endless loss


@dataclass(frozen=True)
class Rate:
    """`correct` out of `total`; what is out of nothing is undefined (None), never 0.

    >>> Rate(8, 10).share
    0.8
    """

    correct: int
    total: int

    @property
    def share(self) -> float | None:
        """Correct over total, from 0 to 1."""
        return self.correct / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of `share`."""
        return wilson(self.correct, self.total) if self.total else None

    def __str__(self) -> str:
        """For people: ``8 of 10, 80.00 % (95 % interval 49.02 to 94.33)``."""
        counts = f"{self.correct:,} of {self.total:,}"
        if self.share is None or self.interval is None:
            return counts
        low, high = (100 * end for end in self.interval)
        return f"{counts}, {100 * self.share:.2f} % (95 % interval {low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class ClassScore:
    """One class: pictures of it, times it was answered, and times that was right."""

    support: int
    predicted: int
    correct: int

    @property
    def precision(self) -> Rate:
        """Share of the answers that were right; undefined if it was never answered."""
        return Rate(self.correct, self.predicted)

    @property
    def recall(self) -> Rate:
        """Share of the pictures that were recognised; undefined if there were none."""
        return Rate(self.correct, self.support)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None if the class has neither pictures nor answers."""
        either = self.support + self.predicted
        return 2 * self.correct / either if either else None


@dataclass(frozen=True)
class Confusion:
    """`count` pictures of class `true` were answered `predicted` (class numbers)."""

    true: int
    predicted: int
    count: int


def wilson(correct: int, total: int) -> tuple[float, float]:
    """Score interval at 95 % for a share that was counted.

    Parameters
    ----------
    correct, total : int
        ``0 <= correct <= total`` and ``total > 0``.

    Returns
    -------
    low, high : float
        Within 0 and 1, exactly 0 and 1 where nothing or everything was correct.

    Raises
    ------
    ValueError
        If the counts are not as above.

    Notes
    -----
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22 (1927), without continuity correction. It holds its
    level near 0 and 1, where the textbook interval (share ± 1.96 standard errors) does not.
    """
    if not 0 <= correct <= total or not total:
        raise ValueError(f"{correct} of {total} is no share")
    square = Z95 * Z95
    share = correct / total
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = Z95 / (1 + square / total) * sqrt(share * (1 - share) / total + square / (4 * total**2))
    low = centre - half if correct else 0.0  # the formula's own value, without the rounding
    high = centre + half if correct < total else 1.0
    return low, high


def confusion_matrix(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Count every pair of true and answered class.

    Parameters
    ----------
    labels, predicted : int arrays of shape (N,)
        Class numbers below `classes`.
    classes : int

    Returns
    -------
    confusion : int64 array of shape (classes, classes)
        Rows are true classes, columns answers.
    """
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Support, answers and hits of every class, in label order."""
    columns = (confusion.sum(axis=1), confusion.sum(axis=0), np.diagonal(confusion))
    return tuple(ClassScore(*counts) for counts in zip(*(c.tolist() for c in columns), strict=True))


def balanced_accuracy(scores: tuple[ClassScore, ...]) -> float | None:
    """Mean recall of the classes that have pictures; None if none has."""
    known = [share for score in scores if (share := score.recall.share) is not None]
    return sum(known) / len(known) if known else None


def confused_pairs(confusion: NDArray[np.int64]) -> tuple[Confusion, ...]:
    """Every confusion that occurred, the most frequent first, then in label order."""
    wrong = confusion - np.diag(np.diagonal(confusion))
    true, predicted = np.nonzero(wrong)
    count = wrong[true, predicted]
    order = np.argsort(-count, kind="stable")  # nonzero gives label order
    rows = np.stack([true, predicted, count], axis=1)[order]
    return tuple(Confusion(*row) for row in rows.tolist())


def ranks(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Place of the true class among the answers, 0 for the likeliest.

    Of equal probabilities the lower class number comes first, as with ``argmax``.

    Parameters
    ----------
    probabilities : float array of shape (N, C)
    labels : int array of shape (N,)

    Returns
    -------
    ranks : int64 array of shape (N,)
        A picture is right among the first k if its rank is below k.
    """
    own = np.take_along_axis(probabilities, labels[:, None].astype(np.int64), axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    before = (probabilities > own) | ((probabilities == own) & earlier)
    return np.asarray(before.sum(axis=1, dtype=np.int64))


def cross_entropy(of_truth: NDArray[np.floating]) -> float:
    """Mean of ``-log p`` in nats, where p is what the true class was given.

    Parameters
    ----------
    of_truth : float array of shape (N,)
        Probabilities; those below 1e-7 count as 1e-7, as in Keras.

    Returns
    -------
    loss : float
    """
    return float(-np.log(np.clip(of_truth.astype(np.float64), SMALLEST, 1.0)).mean())


def majority(known: NDArray[np.integer], labels: NDArray[np.integer]) -> tuple[int, Rate]:
    """The class that is commonest in `known`, and how `labels` fare if it is always answered.

    This is what a classifier has to beat. Of equally common classes the first is taken.
    """
    commonest = int(np.bincount(known).argmax())
    return commonest, Rate(int((labels == commonest).sum()), len(labels))


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


def rate_json(rate: Rate) -> dict[str, Any]:
    """Counts, share and interval; null where it is out of nothing."""
    return {
        "correct": rate.correct,
        "total": rate.total,
        "share": rate.share,
        "interval": rate.interval,
    }

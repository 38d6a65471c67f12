"""How good a classifier's answers are: counts first, divided once at the end.

There are measures of all pictures, of each class, and of each group (a writer, a page or a sheet).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959964  # the normal quantile that leaves 2.5 % on either side
SMALLEST = 1e-7  # smaller probabilities count as this one, so that no answer's loss is infinite


@dataclass(frozen=True)
class Rate:
    """`correct` out of `total` pictures; the share of 0 out of 0 is undefined (None), not 0.

    >>> from inkfold.metrics import Rate
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
        """The 95 % Wilson interval of `share`, from 0 to 1; None if `share` is."""
        return wilson(self.correct, self.total) if self.total else None

    def as_json(self) -> dict[str, Any]:
        """Counts, share and interval for a JSON file; an undefined share is null there."""
        return {
            "correct": self.correct,
            "total": self.total,
            "share": self.share,
            "interval": self.interval,
        }

    def __str__(self) -> str:
        """Counts, share and interval for people: ``8 of 10, 80.00 % (95 % interval ...)``."""
        counts = f"{self.correct:,} of {self.total:,}"
        if self.share is None or self.interval is None:
            return counts
        low, high = (100 * end for end in self.interval)
        return f"{counts}, {100 * self.share:.2f} % (95 % interval {low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class ClassScore:
    """Counts of the pictures of a class, and of the answers with it.

    Attributes
    ----------
    support : int
        Pictures of the class.
    predicted : int
        Pictures that were answered with the class.
    correct : int
        Pictures of the class that were answered with it.
    """

    support: int
    predicted: int
    correct: int

    @property
    def precision(self) -> Rate:
        """Share of the answers with the class that were right; undefined if there were none."""
        return Rate(self.correct, self.predicted)

    @property
    def recall(self) -> Rate:
        """Share of the class's pictures that were recognised; undefined if there were none."""
        return Rate(self.correct, self.support)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None of a class without pictures and answers."""
        either = self.support + self.predicted
        return 2 * self.correct / either if either else None


@dataclass(frozen=True)
class Confusion:
    """`count` pictures of the label `true` were answered with the label `predicted`."""

    true: int
    predicted: int
    count: int


@dataclass(frozen=True)
class GroupScore:
    """How many pictures of the group `name` were answered rightly."""

    name: str
    right: Rate


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How much the share of right answers varies between groups, each counting the same.

    Attributes
    ----------
    groups : int
        Number of groups.
    mean, lowest, highest : float
        Of the groups' shares, from 0 to 1.
    deviation : float
        Sample standard deviation of the groups' shares.
    by_chance : float
        The deviation that would be expected if all groups were equally easy, so that their shares
        differed only because each group has few pictures.
    """

    groups: int
    mean: float
    lowest: float
    highest: float
    deviation: float
    by_chance: float


def wilson(correct: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of the share `correct` / `total`.

    Parameters
    ----------
    correct, total : int
        ``0 <= correct <= total`` and ``total > 0``.

    Returns
    -------
    low, high : float
        Within 0 and 1; `low` is exactly 0 where nothing was correct, `high` exactly 1 where
        everything was.

    Raises
    ------
    ValueError
        If the counts are outside these bounds.

    Notes
    -----
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22 (1927), without continuity correction. It holds its
    95 % near 0 and 1, where the textbook interval (share ± 1.96 standard errors) does not.
    """
    if not 0 <= correct <= total or not total:
        raise ValueError(f"{correct} of {total} is not a share")
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
    """Count every pair of true and answered label.

    Parameters
    ----------
    labels, predicted : int arrays of shape (N,)
        Labels below `classes`.
    classes : int
        Number of classes.

    Returns
    -------
    confusion : int64 array of shape (classes, classes)
        Rows are true labels, columns answered ones.
    """
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Scores of every class, in label order, from a confusion matrix."""
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    columns = (support.tolist(), predicted.tolist(), np.diagonal(confusion).tolist())
    return tuple(ClassScore(*counts) for counts in zip(*columns, strict=True))


def balanced_accuracy(scores: tuple[ClassScore, ...]) -> float | None:
    """Mean recall of the classes that have pictures; None if no class has any."""
    recalls = [share for score in scores if (share := score.recall.share) is not None]
    return sum(recalls) / len(recalls) if recalls else None


def confused_pairs(confusion: NDArray[np.int64]) -> tuple[Confusion, ...]:
    """Every confusion that occurred, the most frequent first, equal ones in label order."""
    wrong = confusion - np.diag(np.diagonal(confusion))
    true, predicted = np.nonzero(wrong)
    count = wrong[true, predicted]
    order = np.argsort(-count, kind="stable")  # nonzero gives label order
    rows = np.stack([true, predicted, count], axis=1)[order]
    return tuple(Confusion(*row) for row in rows.tolist())


def ranks(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Rank of the true class among all classes by probability, 0 for the likeliest.

    Of equal probabilities the lower label comes first, as with ``argmax``.

    Parameters
    ----------
    probabilities : float array of shape (N, C)
    labels : int array of shape (N,)

    Returns
    -------
    ranks : int64 array of shape (N,)
        The true class is among the k likeliest if its rank is below k.
    """
    own = np.take_along_axis(probabilities, labels[:, None].astype(np.int64), axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    before = (probabilities > own) | ((probabilities == own) & earlier)
    return np.asarray(before.sum(axis=1, dtype=np.int64))


def cross_entropy(of_truth: NDArray[np.floating]) -> float:
    """Mean of ``-log p`` in nats, where p is the probability that the true class was given.

    Parameters
    ----------
    of_truth : float array of shape (N,)
        The probabilities p; those below 1e-7 count as 1e-7, as in Keras.

    Returns
    -------
    loss : float
        0 where every p is 1.
    """
    return float(-np.log(np.clip(of_truth.astype(np.float64), SMALLEST, 1.0)).mean())


def majority(counts: NDArray[np.integer], labels: NDArray[np.integer]) -> tuple[int, Rate]:
    """The label of the largest of `counts`, (C,), and the rate at which `labels` are equal to it.

    A classifier has to beat this rate, which always answering the same class reaches. Of equally
    common labels the lowest is taken.
    """
    commonest = int(counts.argmax())
    return commonest, Rate(int((labels == commonest).sum()), len(labels))


def group_scores(groups: Sequence[str], right: NDArray[np.bool_]) -> tuple[GroupScore, ...]:
    """Count the right answers group by group.

    Parameters
    ----------
    groups : sequence of str, length N
        The group of each picture; pictures of unknown group, "", are left out.
    right : bool array of shape (N,)
        Whether each picture was answered rightly.

    Returns
    -------
    scores : tuple of GroupScore
        The lowest share first; of equal shares the group with more pictures, then by name.
    """
    counts: dict[str, list[int]] = {}
    for name, hit in zip(groups, right, strict=True):
        correct_total = counts.setdefault(name, [0, 0])
        correct_total[0] += bool(hit)
        correct_total[1] += 1
    scores = [GroupScore(name, Rate(*counts[name])) for name in sorted(counts) if name]
    return tuple(sorted(scores, key=lambda score: (score.right.share, -score.right.total)))


def spread(scores: Sequence[GroupScore]) -> Spread | None:
    """Mean, extremes and standard deviation over groups; None for fewer than two groups."""
    if len(scores) < 2:
        return None
    shares = np.array([score.right.correct / score.right.total for score in scores])
    totals = np.array([score.right.total for score in scores])
    pooled = (shares * totals).sum() / totals.sum()
    return Spread(
        groups=len(scores),
        mean=float(shares.mean()),
        lowest=float(shares.min()),
        highest=float(shares.max()),
        deviation=float(shares.std(ddof=1)),
        by_chance=sqrt(max(pooled * (1 - pooled), 0.0) * float((1 / totals).mean())),
    )

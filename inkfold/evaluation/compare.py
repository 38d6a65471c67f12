"""Two bundles on the same pictures: is one of them better, and where do they differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import Bundle
from inkfold.errors import InkfoldError
from inkfold.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class Difference:
    """A picture that two bundles answer differently; probabilities are of their own answers."""

    source: str
    true: str
    first: str
    second: str
    probability_first: float
    probability_second: float


@dataclass(frozen=True)
class Comparison:
    """Two results on one split of one dataset.

    Attributes
    ----------
    first, second : Evaluation
    names : (str, str)
        How the two are called: they differ.
    differences : tuple of Difference
        First those that only the first bundle has right, then those that only the second has,
        then those that both have wrong, each surest first.
    rows : int64 array of shape (len(differences),)
        The pictures' rows in the split.
    """

    first: Evaluation
    second: Evaluation
    names: tuple[str, str]
    differences: tuple[Difference, ...]
    rows: NDArray[np.int64]

    @cached_property
    def table(self) -> tuple[int, int, int, int]:
        """Pictures that both have right, only the first, only the second, neither."""
        a, b = self.first.answers.right, self.second.answers.right
        counts = [(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]
        both, only_first, only_second, neither = map(int, counts)
        return both, only_first, only_second, neither

    @property
    def p_value(self) -> float:
        """Of McNemar's exact test."""
        return mcnemar(self.table[1], self.table[2])


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test of whether two classifiers are equally good on the same pictures.

    Parameters
    ----------
    only_first, only_second : int
        Pictures that only the one, and only the other, has right. Those that both have right or
        both have wrong say nothing.

    Returns
    -------
    p : float
        The probability of counts at least as uneven, if each such picture were a fair coin's
        throw: two-sided, 1 where there are none.

    Notes
    -----
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), with the binomial distribution itself in place of its
    approximation by chi-square.
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_first, only_second), only_first + only_second, 0.5)))


def check_comparable(first: Bundle, second: Bundle) -> None:
    """Refuse two bundles that cannot answer the same packed pictures.

    Raises
    ------
    InkfoldError
        If their classes or the preparation of their pictures differ.
    """
    if first.path.resolve() == second.path.resolve():
        raise InkfoldError(f"{first.path} is given twice; name another bundle to compare it with")
    ours, theirs = first.classes, second.classes
    if ours != theirs:
        pairs = zip((*ours, "(none)"), (*theirs, "(none)"), strict=False)
        at, a, b = next((at, a, b) for at, (a, b) in enumerate(pairs) if a != b)
        raise InkfoldError(
            f"{first.path} knows {len(ours)} classes, {second.path} {len(theirs)}; the first that "
            f"differs is number {at}: {a!r} and {b!r}; evaluate each alone on its own dataset"
        )
    ours_spec, theirs_spec = vars(first.spec), vars(second.spec)
    for field, value in ours_spec.items():
        if value != theirs_spec[field]:
            raise InkfoldError(
                f"{first.path} takes pictures with {field} {value}, {second.path} with {field} "
                f"{theirs_spec[field]}: no dataset fits both; evaluate each alone on its own"
            )


def compare(first: Evaluation, second: Evaluation, sources: list[str]) -> Comparison:
    """Put two results side by side.

    Parameters
    ----------
    first, second : Evaluation
        Of the same split of the same dataset.
    sources : list of str
        The split's.

    Raises
    ------
    ValueError
        If they are of different pictures.
    """
    if (first.fingerprint, first.split) != (second.fingerprint, second.split):
        raise ValueError("two results are compared on the same split of the same dataset")
    a, b = first.answers, second.answers
    rows = np.flatnonzero(a.predicted != b.predicted)
    kind = np.where(a.right, 0, np.where(b.right, 1, 2))[rows]
    surest = np.maximum(a.probability, b.probability)[rows]
    rows = rows[np.lexsort((-surest, kind))]
    names = first.classes
    differences = tuple(
        Difference(
            sources[row],
            names[a.labels[row]],
            names[a.predicted[row]],
            names[b.predicted[row]],
            float(a.probability[row]),
            float(b.probability[row]),
        )
        for row in rows.tolist()
    )
    return Comparison(first, second, _names(first, second), differences, rows)


def _names(first: Evaluation, second: Evaluation) -> tuple[str, str]:
    """The bundles' folder names; where they are the same, numbered."""
    if first.bundle != second.bundle:
        return first.bundle, second.bundle
    return f"{first.bundle} (1)", f"{second.bundle} (2)"

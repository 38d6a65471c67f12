"""Two classifiers on the same pictures: whether one is better, by how much, and what could tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEVEL = 0.05  # of the test; the interval has 1 - LEVEL
POWER = 0.8  # probability with which the number of pictures that is asked for would tell
NORMAL_LEVEL, NORMAL_POWER = 1.959964, 0.841621  # normal quantiles of 1 - LEVEL / 2 and of POWER


@dataclass(frozen=True, kw_only=True)
class Paired:
    """How many of the same pictures one classifier has right where another has not.

    Attributes
    ----------
    only_first, only_second : int
        Pictures that one of them alone has right.
    total : int
        All pictures.
    """

    only_first: int
    only_second: int
    total: int

    @property
    def p_value(self) -> float:
        """The p of McNemar's exact test."""
        return mcnemar(self.only_first, self.only_second)

    @property
    def difference(self) -> float:
        """The share of pictures by which the second has more right; negative if it has fewer."""
        return (self.only_second - self.only_first) / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `difference`: it leaves 0 out where the test's p is below 0.05.

        It is that of Clopper and Pearson (Biometrika 26, 1934) for the second one's share of the
        pictures that only one of them has right, whose number is taken as given.
        """
        from scipy.special import betaincinv

        uneven = self.only_first + self.only_second
        if not uneven:
            return 0.0, 0.0
        won, lost = self.only_second, self.only_first
        low = float(betaincinv(won, lost + 1, LEVEL / 2)) if won else 0.0
        high = float(betaincinv(won + 1, lost, 1 - LEVEL / 2)) if lost else 1.0
        return (2 * low - 1) * uneven / self.total, (2 * high - 1) * uneven / self.total

    @property
    def needed(self) -> int | None:
        """How many pictures would tell a difference of this size; None if there is none.

        R. J. Connor, "Sample size for testing differences in proportions for the paired-sample
        design", Biometrics 43 (1987), two-sided, with a power of 0.8.
        """
        uneven, apart = (self.only_first + self.only_second) / self.total, abs(self.difference)
        if not apart:
            return None
        spread = NORMAL_POWER * math.sqrt(uneven - apart**2)
        return math.ceil(((NORMAL_LEVEL * math.sqrt(uneven) + spread) / apart) ** 2)


def next_steps(paired: Paired, names: tuple[str, str]) -> list[str]:
    """What to do after a comparison, in sentences.

    Parameters
    ----------
    paired : Paired
    names : (str, str)
        Of the first and the second.
    """
    if paired.p_value < LEVEL:
        better = names[1] if paired.difference > 0 else names[0]
        again = (
            "Train both once more with another --seed before you call one recipe the better one: "
            "this compares two networks, and another seed makes another network."
        )
        return [f"Take {better} for pictures like these.", again]
    cheaper = "take the one that is smaller or faster."
    if paired.needed is None:
        return [f"Nothing here speaks for either: {cheaper}"]
    more = f"about {paired.needed:,} in place of {paired.total:,}"
    return [f"To decide, compare them on more pictures, {more}; until then {cheaper}"]


def mcnemar(only_first: int, only_second: int) -> float:
    """The p of McNemar's exact test whether two classifiers are equally good on the same pictures.

    Parameters
    ----------
    only_first, only_second : int
        Pictures that only the first, and only the second, has right. Those that both have right
        or both have wrong say nothing.

    Returns
    -------
    p : float
        The probability of counts at least as uneven, if each such picture were a fair coin's
        throw: two-sided, 1 where both counts are 0.

    Notes
    -----
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), with the binomial distribution itself in place of its
    approximation by chi-square.
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_first, only_second), only_first + only_second, 0.5)))


def verdict(paired: Paired, names: tuple[str, str]) -> str:
    """A sentence: which of the two is better and by how much, or what could tell.

    Parameters
    ----------
    paired : Paired
    names : (str, str)
        Of the first and the second.
    """
    second_better = paired.difference > 0
    better, worse = (names[1], names[0]) if second_better else names
    points, ends = 100 * abs(paired.difference), [100 * end for end in paired.interval]
    low, high = ends if second_better else (0.0 - ends[1], 0.0 - ends[0])  # no minus before a 0
    interval = f"95 % interval {low:.2f} to {high:.2f}"
    if paired.p_value < LEVEL:
        return (
            f"{better} is better than {worse}: it has {points:.2f} points more of the same "
            f"{paired.total:,} pictures right ({interval})."
        )
    if paired.needed is None:
        return (
            f"{names[0]} and {names[1]} have equally many of the {paired.total:,} pictures right "
            f"({interval} points): these pictures cannot tell which is better."
        )
    return (
        f"These {paired.total:,} pictures cannot tell which is better: {better} has {points:.2f} "
        f"points more right than {worse} ({interval}); if that is the difference, about "
        f"{paired.needed:,} pictures would tell."
    )
